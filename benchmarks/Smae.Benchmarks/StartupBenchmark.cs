using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>The first embedding of a cold process: from the start of the process until the embedding of one image file has been made from an ONNX file.</summary>
internal sealed class StartupBenchmark : IBenchmark
{
    public string Name => "startup";

    public string Description => "The first embedding of a cold process from an ONNX file, through ML.NET and without, and what .NET and ONNX Runtime take of it.";

    public void Run(BenchmarkContext context)
    {
        using var drawn = new DrawnImages(1, 64, 64);
        string file = Path.Combine(drawn.Folder, "encoder.onnx"), image = context.Images is null ? drawn.Files[0] : DecodeSide.FilesOf(context.Images.FullName)[0];
        using (ImageEncoder encoder = ImageEncoder.Create(context.Model.ToEncoder())) encoder.ExportOnnx(file);
        (string Figure, string Name, string Way)[] ways =
        [
            ("startupOnnxEmbedding", "OnnxEmbedding in an MLContext", ColdStart.Embedding), ("startupOnnxImageModel", "OnnxImageModel", ColdStart.Model),
            ("startupOnnxRuntime", "a plain session of ONNX Runtime", ColdStart.Session), ("startupDotNet", ".NET, which does nothing", ColdStart.Nothing),
        ];
        int rounds = context.RoundsOr(10);
        List<double>[] seconds = [.. ways.Select(_ => new List<double>())];
        bool torch = false;
        for (int round = -1; round < rounds; round++)   // the first brings the files into memory
            for (int turn = 0; turn < ways.Length; turn++)
            {
                int way = round % 2 == 0 ? turn : ways.Length - 1 - turn;
                (double took, bool loaded) = Start(ways[way].Way, file, image);
                if (round >= 0) seconds[way].Add(took);
                torch |= loaded;
            }

        Table table = Text.Table($"First embedding of a cold process, ONNX file of {Text.Megabytes(new FileInfo(file).Length)}, {rounds} rounds, medians",
            "", "time", "range");
        foreach (((string figure, string name, _), List<double> all) in ways.Zip(seconds))
        {
            Spread spread = Spread.Of(all);
            table.AddRow(name, Text.Seconds(spread.Median), Text.Range(spread));
            context.Report.Add($"{figure}Seconds", spread.Median);
        }
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"libtorch was {(torch ? "" : "not ")}loaded.");
        context.Report.Add("startupLoadsLibtorch", torch ? 1 : 0);
        context.Report.AddMeasurements(Name, ways.Zip(seconds, (way, all) => new { way.Name, Seconds = all }));
    }

    private static (double Seconds, bool LoadsTorch) Start(string way, string file, string image)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(
            new ProcessStartInfo("dotnet", [typeof(StartupBenchmark).Assembly.Location, "cold", way, file, image]) { RedirectStandardOutput = true })!;
        string? embedded = process.StandardOutput.ReadLine();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        string? torch = process.StandardOutput.ReadLine();
        process.WaitForExit();
        if (process.ExitCode != 0 || embedded is null || torch is null) throw new InvalidOperationException($"A cold start ({way}) ended with code {process.ExitCode}.");
        return (seconds, bool.Parse(torch));
    }
}

/// <summary>A cold process: embeds one image, says so in a line, and in another whether libtorch is loaded.</summary>
internal static class ColdStart
{
    public const string Embedding = "embedding", Model = "model", Session = "session", Nothing = "nothing";

    public static int Run(string way, string file, string image)
    {
        float first = way switch { Embedding => ByEmbedding(file, image), Model => ByModel(file), Session => BySession(file), _ => 0 };
        Console.WriteLine(first);
        Console.WriteLine(File.Exists("/proc/self/maps") && File.ReadLines("/proc/self/maps").Any(line => line.Contains("libtorch")));
        return 0;
    }

    private static float ByEmbedding(string file, string image)
    {
        var ml = new MLContext();
        IDataView paths = ml.Data.LoadFromEnumerable([new FileRow { Path = image }]);
        using OnnxEmbeddingTransformer embedding = ml.Transforms.OnnxEmbedding("Embedding", nameof(FileRow.Path), file).Fit(paths);
        return embedding.Transform(paths).GetColumn<VBuffer<float>>("Embedding").Single().GetItemOrDefault(0);
    }

    private static float ByModel(string file)
    {
        using OnnxImageModel model = OnnxImageModel.Load(file);
        var embedding = new float[model.OutputLength];
        model.Run(new byte[model.Info.Preprocessing.ByteCount], 1, embedding);
        return embedding[0];
    }

    private static float BySession(string file)
    {
        using var session = new InferenceSession(file);
        (string name, NodeMetadata input) = session.InputMetadata.First();
        using OrtValue images = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, TensorElementType.UInt8, [1, .. input.Dimensions.Skip(1).Select(d => (long)d)]);
        using var options = new RunOptions();
        using var results = session.Run(options, [name], [images], ["embedding"]);
        return results[0].GetTensorDataAsSpan<float>()[0];
    }
}
