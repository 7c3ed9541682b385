using System.Text.Json;
using Microsoft.ML;
using ScoreSavedModel;

// Scores images with a saved classifier, in an application that knows ML.NET and nothing of Smae:
//   ScoreSavedModel classifier.zip < paths.txt > scores.json
if (args is not [var model])
{
    Console.Error.WriteLine("usage: ScoreSavedModel classifier.zip < paths.txt > scores.json");
    return 2;
}
if (!File.Exists(model))
{
    Console.Error.WriteLine($"error: there is no model {model}.");
    return 1;
}
var images = new List<ImageFile>();
while (Console.ReadLine() is { } path) images.Add(new ImageFile { ImagePath = path });

var ml = new MLContext();
try
{
    ITransformer classifier = ml.Model.Load(model, out _);
    IDataView scored = classifier.Transform(ml.Data.LoadFromEnumerable(images));
    Console.WriteLine(JsonSerializer.Serialize(ml.Data.CreateEnumerable<ScoredImage>(scored, reuseRowObject: false)));
    return 0;
}
catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException or IOException or InvalidDataException)
{
    Console.Error.WriteLine($"error: {model} cannot be loaded and applied: {e.Message}");
    return 1;
}

/// <summary>What the model takes.</summary>
internal sealed class ImageFile
{
    public string ImagePath { get; set; } = "";
}
