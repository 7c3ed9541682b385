using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.TorchSharp;
using Microsoft.ML.Transforms.Image;
using TorchSharp;

namespace Examples.Tests;

/// <summary>
/// What the README of <c>examples/TextAndImages</c> says of Microsoft.ML.TorchSharp beside Smae. Where one of these fails, a version works that did not: say
/// so there. The weights that its trainers download are random ones here, saved where the downloaded would be.
/// </summary>
[TestClass]
public sealed class MlNetTorchSharpTests
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    [TestMethod]
    public void ItsTextTrainersDisposeTheirOwnParameters()
    {
        using var folder = new DrawnFolder();
        var ml = new MLContext(seed: 1) { TempFilePath = folder.Path };
        IDataView rows = ml.Data.LoadFromEnumerable([new TextRow { Title = "a shoe", Label = 1 }, new TextRow { Title = "a table", Label = 2 }]);
        var trainer = ml.MulticlassClassification.Trainers.TextClassification(sentence1ColumnName: "Title", maxEpochs: 1);
        using (IChannel channel = ((IHostEnvironment)ml).Start("Weights"))
        {
            object tokenizer = Call(Class("TokenizerExtensions"), null, "GetInstance", channel);
            object vocabulary = Call(Class("TokenizerExtensions"), null, "RobertaModel", tokenizer);
            object options = trainer.GetType().BaseType!.GetField("BertOptions", Any)!.GetValue(trainer)!;
            object model = New("ModelForPrediction", options, Property(vocabulary, "PadIndex"), Property(vocabulary, "SymbolsCount"), 2);
            ((torch.nn.Module)Call(model.GetType(), model, "GetEncoder")).save(Weights(folder, "NasBert2000000.tsm"));
        }
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(rows));
        StringAssert.Contains(error.Message, "Tensor invalid");
    }

    [TestMethod]
    public void ItsObjectDetectionCallsAMethodThatIsNoMore()
    {
        using var folder = new DrawnFolder();
        var ml = new MLContext(seed: 1) { TempFilePath = folder.Path };
        var model = (torch.nn.Module)New(
            "AutoFormerV2", 1, new List<int> { 64, 128, 256, 448 }, new List<int> { 2, 2, 6, 2 }, new List<int> { 2, 4, 8, 14 }, torch.CPU);
        model.save(Weights(folder, "autoformer_11m_torchsharp.bin"));
        using MLImage image = MLImage.CreateFromPixels(64, 64, MLPixelFormat.Rgba32, new byte[64 * 64 * 4]);
        IDataView rows = ml.Data.LoadFromEnumerable([new DetectionRow { Image = image, Label = ["shoe"], BoundingBoxes = [5, 5, 40, 40] }]);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.MulticlassClassification.Trainers.ObjectDetection("Label", maxEpoch: 1));
        Assert.ThrowsExactly<MissingMethodException>(() => pipeline.Fit(rows));
    }

    private static string Weights(DrawnFolder folder, string file) => Path.Combine(Directory.CreateDirectory(folder["mlnet"]).FullName, file);

    private static Type Class(string name) => typeof(TorchSharpCatalog).Assembly.GetTypes().First(type => type.Name == name);

    private static object New(string name, params object[] arguments) => Activator.CreateInstance(Class(name), Any, null, arguments, null)!;

    private static object Call(Type type, object? target, string method, params object[] arguments) => type.GetMethod(method, Any)!.Invoke(target, arguments)!;

    private static object Property(object target, string name) => target.GetType().GetProperty(name, Any)!.GetValue(target)!;

    private sealed class TextRow
    {
        public string Title { get; set; } = "";

        [KeyType(2)]
        public uint Label { get; set; }
    }

    private sealed class DetectionRow
    {
        [ImageType(64, 64)]
        public MLImage Image { get; set; } = null!;

        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];
    }
}
