using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Reproduction;

/// <summary>What the command line asked for.</summary>
internal sealed record Settings(
    DirectoryInfo TinyImageNet, DirectoryInfo Cub, DirectoryInfo Output, Scale Scale, IReadOnlyList<Method> Methods, int Seeds, int? GpuDeviceId,
    bool Resume, FileInfo? Teacher, bool ProbesOnly);

/// <summary>The experiment with one seed: a critic, then for each method pretraining, linear probe and fine-tuning on both sets.</summary>
internal sealed class Experiment(
    LabelledSet tinyImageNet, LabelledSet cub, Plan givenPlan, Results results, Device device, int seed, string folder, bool probesOnly,
    CancellationToken cancellation)
{
    private readonly Precision _precision = Hardware.FastestPrecision(gpu: device.type == DeviceType.CUDA);
    private readonly Plan _plan = givenPlan with
    {
        Critic = Path.Combine(folder, "critic.safetensors"),
        Teacher = givenPlan.Teacher.Length == 0 ? Path.Combine(folder, "teacher.safetensors") : givenPlan.Teacher,
    };

    /// <summary>Reads the images, runs the experiment with each seed, writes the table.</summary>
    public static void Run(Settings settings, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        if (settings.GpuDeviceId is not null && !cuda.is_available())
            throw new InvalidOperationException(
                $"--gpu {settings.GpuDeviceId}: there is no CUDA device, or libtorch is built without CUDA (see the README).");
        Device device = settings.GpuDeviceId is { } gpu ? torch.device($"cuda:{gpu}") : CPU;
        Plan plan = Plans.Of(settings.Scale) with { Teacher = settings.Teacher?.FullName ?? "" };
        Check(settings, plan);
        settings.Output.Create();
        Results results = Results.Open(settings);

        var ml = new MLContext(seed: 1);
        LabelledSet Load(DirectoryInfo folder, ImageFolderSplit test) => LabelledSet.Load(ml, folder, test, plan.Mae.Preprocessing, cancellation);
        using LabelledSet tinyImageNet = Load(settings.TinyImageNet, ImageFolderSplit.Validation), cub = Load(settings.Cub, ImageFolderSplit.Test);
        Console.WriteLine($"{tinyImageNet}\n{cub}");

        string table = "";
        for (int seed = 1; seed <= settings.Seeds; seed++)
        {
            string folder = Path.Combine(settings.Output.FullName, $"seed{seed}");
            var experiment = new Experiment(tinyImageNet, cub, plan, results, device, seed, folder, settings.ProbesOnly, cancellation);
            if (settings.Methods.Any(m => m.Helper == Helper.Critic)) experiment.TrainCritic();
            if (plan.Teacher.Length == 0 && settings.Methods.Any(m => m.Helper == Helper.Teacher)) experiment.TrainTeacher();
            foreach (Method method in settings.Methods)
            {
                experiment.Measure(method);
                table = ResultTable.Of(settings.Methods, results);
                AtomicFile.Write(Path.Combine(settings.Output.FullName, "table.md"), stream => stream.Write(Encoding.UTF8.GetBytes(table)));
            }
        }
        Console.WriteLine($"\nTop-1 in % on {tinyImageNet.Test.Count} and {cub.Test.Count} test images:\n\n{table}");
        Console.WriteLine($"{settings.Output.FullName}: table.md, results.json, weights ({clock.Elapsed:hh\\:mm\\:ss})");
    }

    /// <summary>Says what is wrong with a row before hours are spent on the rows before it.</summary>
    private static void Check(Settings settings, Plan plan)
    {
        foreach (Method method in settings.Methods)
        {
            if (method.Helper == Helper.Teacher && plan is { Teacher: "", TeacherTraining: null })
                throw new ArgumentException(
                    $"{method.Key} at --scale {settings.Scale.ToString().ToLowerInvariant()} learns from a published teacher: give MAE's ViT-L as a "
                    + "safetensors file with --teacher FILE, or name other rows with --methods.");
            bool trainedFirst = method.Helper == Helper.Critic || (method.Helper == Helper.Teacher && plan.Teacher.Length == 0);
            if (!trainedFirst) method.Pretraining?.Invoke(plan).Validate();
        }
    }

    private void TrainCritic()
    {
        if (results.Critics.ContainsKey(seed)) return;
        SupervisedResult<SqueezeNet> result = Stage("critic", "critic", _plan.CriticTraining, options =>
            CriticTraining.Run(tinyImageNet.Training, tinyImageNet.Test, options, _plan.Mae.Preprocessing, device));
        using (SqueezeNet critic = result.Model) critic.Save(_plan.Critic);
        results.Critics[seed] = Top1(result.History);
        results.Save();
        DeleteCheckpoints("critic");
    }

    private void TrainTeacher()
    {
        if (results.Teachers.ContainsKey(seed)) return;
        MaePretrainResult result = Stage("teacher", "teacher", _plan.TeacherTraining!, options =>
            MaePretraining.Run(tinyImageNet.Training.Images, options, device));
        using (result.Model) result.Encoder.Save(_plan.Teacher);
        results.Teachers[seed] = result.LastLoss;
        results.Save();
        DeleteCheckpoints("teacher");
    }

    /// <summary>Measures what has not been measured yet of a row.</summary>
    private void Measure(Method method)
    {
        Figures row = results.Of(method, seed);
        bool done = probesOnly || row is { TinyImageNet: not null, Cub: not null };
        if (done && row is { Neighbors: not null, LinearProbe: not null }) return;
        using ImageEncoder encoder = Encoder(method, ref row);
        bool scratch = method.Pretraining is null;
        if (row.Neighbors is null)
        {
            Evaluation nearest = KNearestNeighbors.Evaluate(encoder, tinyImageNet.Training, tinyImageNet.Test, cancellationToken: cancellation);
            results.Set(row = row with { Neighbors = nearest.Top1 });
        }
        if (row.LinearProbe is null)
        {
            var probe = Stage(method.Key, "linear probe", _plan.Probe, options =>
                LinearProbe.Run(encoder, tinyImageNet.Training, tinyImageNet.Test, options));
            probe.Model.Dispose();
            results.Set(row = row with { LinearProbe = Top1(probe.History), Seconds = row.Seconds + Seconds(probe.History, tinyImageNet) });
        }
        if (row.TinyImageNet is null && !probesOnly)
            FineTune(tinyImageNet, scratch ? _plan.ScratchTinyImageNet : _plan.TinyImageNet, top1 => row with { TinyImageNet = top1 });
        if (row.Cub is null && !probesOnly) FineTune(cub, scratch ? _plan.ScratchCub : _plan.Cub, top1 => row with { Cub = top1 });
        DeleteCheckpoints(method.Key);

        void FineTune(LabelledSet set, FineTuneOptions options, Func<double, Figures> with)
        {
            if (!scratch) options = options with { Encoder = encoder };
            var tuned = Stage(method.Key, $"fine-tuning on {set.Name}", options, o => FineTuning.Run(set.Training, set.Test, o, device));
            tuned.Model.Dispose();
            results.Set(row = with(Top1(tuned.History)) with { Seconds = row.Seconds + Seconds(tuned.History, set) });
        }
    }

    /// <summary>The method's encoder: random, pretrained in an earlier run, or pretrained now.</summary>
    private ImageEncoder Encoder(Method method, ref Figures row)
    {
        string path = Path.Combine(folder, method.Key, "encoder.safetensors");
        ImageEncoder encoder;
        if (method.Pretraining is null) encoder = ImageEncoder.Create(_plan.Mae.Encoder, seed, device);
        else if (row.ImagesPerSecond is not null) encoder = ImageEncoder.Load(path, device);
        else
        {
            PeakMemory.Restart();
            MaePretrainResult result = Stage(method.Key, "pretraining", method.Pretraining(_plan), options =>
                MaePretraining.Run(tinyImageNet.Training.Images, options, device));
            double? memory = PeakMemory.Read();
            encoder = result.Encoder;
            encoder.Save(path);
            new HtmlReport($"{method.Name}, seed {seed}").AddHistory("Pretraining", result.History).AddFusionWeights("Fused blocks", encoder.Model)
                .AddSettings("Settings", method.Pretraining(_plan)).Save(Path.ChangeExtension(path, ".html"));
            double seconds = Seconds(result.History, tinyImageNet), speed = result.History.Count * tinyImageNet.Training.Count / seconds;
            results.Set(row = row with { ImagesPerSecond = speed, PeakMegabytes = memory, Seconds = row.Seconds + seconds });
        }
        encoder.Model.Precision = _precision;
        return encoder;
    }

    /// <summary>Does one stage, which goes on where an earlier run left it.</summary>
    private TResult Stage<TOptions, TResult>(string row, string name, TOptions options, Func<TOptions, TResult> run)
        where TOptions : TrainingOptions =>
        run((TOptions)((TrainingOptions)options with
        {
            Seed = seed, Precision = _precision, Progress = new StageProgress($"seed {seed}, {row}, {name}"), CancellationToken = cancellation,
            Checkpoints = new CheckpointOptions { Directory = Path.Combine(Checkpoints(row), name), Interval = TimeSpan.FromMinutes(1), Keep = 2 },
        }));

    private string Checkpoints(string row) => Path.Combine(folder, row, "checkpoints");

    private void DeleteCheckpoints(string row)
    {
        if (Directory.Exists(Checkpoints(row))) Directory.Delete(Checkpoints(row), recursive: true);
    }

    /// <summary>Top-1 after the last epoch: no epoch is picked by the images that are measured on.</summary>
    private static double Top1(IReadOnlyList<EpochSummary> history) => history[^1].Validation!.Top1;

    /// <summary>Time spent on training steps, in all runs that a stage took.</summary>
    private static double Seconds(IReadOnlyList<EpochSummary> history, LabelledSet set) =>
        history.Sum(epoch => set.Training.Count / epoch.ImagesPerSecond);
}

/// <summary>A data set in memory: images to train on and images to measure on.</summary>
internal sealed record LabelledSet(string Name, LabelledImages Training, LabelledImages Test) : IDisposable
{
    /// <summary>Reads a folder in any layout that <c>LoadImageFolder</c> knows; classes are numbered in the order of their names.</summary>
    /// <param name="test">The split to measure on: CUB has a test split, Tiny ImageNet's has no labels.</param>
    public static LabelledSet Load(
        MLContext ml, DirectoryInfo folder, ImageFolderSplit test, ImagePreprocessing preprocessing, CancellationToken cancellation)
    {
        IDataView trainingView = ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Train);
        string[] classes = [.. trainingView.GetColumn<string>("Label").Distinct().Order(StringComparer.Ordinal)];

        LabelledImages Read(IDataView view)
        {
            int[] labels = [.. view.GetColumn<string>("Label").Select(name => Array.IndexOf(classes, name))];
            int unknown = Array.IndexOf(labels, -1);
            string At(string column) => view.GetColumn<string>(column).ElementAt(unknown);
            if (unknown >= 0)
                throw new InvalidDataException(
                    $"{At("ImagePath")} is of the class '{At("Label")}', of which there is no image to train on in '{folder}'.");
            return new LabelledImages(ml.Data.LoadImageStore(view, "ImagePath", preprocessing, cancellationToken: cancellation), labels);
        }

        return new LabelledSet(folder.Name, Read(trainingView), Read(ml.Data.LoadImageFolder(folder.FullName, test)));
    }

    public override string ToString() => $"{Name}: {Training.Count} + {Test.Count} images of {Training.ClassCount} classes";

    public void Dispose()
    {
        Training.Images.Dispose();
        Test.Images.Dispose();
    }
}

/// <summary>Shows how a stage goes: one line that changes in a terminal, a line now and then elsewhere.</summary>
internal sealed class StageProgress(string title) : IProgress<TrainingProgress>
{
    private TimeSpan _last;

    public void Report(TrainingProgress value)
    {
        if (!Console.IsOutputRedirected) Console.Write($"\r{title}: {value}  {(value.Step == value.TotalSteps ? "\n" : "")}");
        else if (value.EpochEnded && (value.Step == value.TotalSteps || value.Elapsed - _last >= TimeSpan.FromSeconds(30)))
        {
            _last = value.Elapsed;
            Console.WriteLine($"{title}: {value}");
        }
    }
}

/// <summary>
/// The most memory that the process has held since a moment. Linux keeps that number and lets a process start it anew; elsewhere there is none. It is
/// the memory of the machine, images and libraries included: TorchSharp does not tell how much of a GPU's is taken.
/// </summary>
internal static class PeakMemory
{
    /// <summary>Starts anew, after giving back what earlier stages have freed.</summary>
    public static void Restart()
    {
        if (!OperatingSystem.IsLinux()) return;
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        try { _ = Trim(0); }   // Smae keeps malloc from giving memory back by itself, which costs half the speed
        catch (EntryPointNotFoundException) { }   // not glibc
        try { File.WriteAllText("/proc/self/clear_refs", "5"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }   // a container may forbid it: the peak is then the process's
    }

    /// <summary>The peak since then in MiB; null where it is unknown.</summary>
    public static double? Read()
    {
        if (!OperatingSystem.IsLinux()) return null;
        string? line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line[6..].Replace("kB", ""), CultureInfo.InvariantCulture) / 1024;
    }

    [DllImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static extern int Trim(nuint keep);
}
