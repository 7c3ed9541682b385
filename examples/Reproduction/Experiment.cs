using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text;
using Examples;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Reproduction;

/// <summary>What the command line asked for.</summary>
internal sealed record Settings(
    DirectoryInfo Images, DirectoryInfo? Cub, DirectoryInfo Output, Scale Scale, IReadOnlyList<Method> Methods, int Seeds, int? GpuDeviceId,
    bool Resume, FileInfo? Teacher, bool ProbesOnly, IReadOnlyList<double> LabelShares, IReadOnlyList<double> Rates)
{
    /// <summary>What is fine-tuned, as the table's columns name it.</summary>
    public IEnumerable<string> Tunings => [.. LabelShares.Select(Tuning), .. Cub is null ? (string[])[] : [Cub.Name]];

    public static string Tuning(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.##}% of labels");
}

/// <summary>The experiment with one seed: a critic, then for each method pretraining, linear probe and fine-tuning.</summary>
/// <param name="judging">Training images to judge trials of learning rates by.</param>
internal sealed class Experiment(
    LabelledSet images, LabelledSet? cub, LabelledSet? judging, Plan givenPlan, Results results, Device device, int seed, Settings settings,
    DataParallel? ranks, CancellationToken cancellation)
{
    private readonly string _folder = Path.Combine(settings.Output.FullName, $"seed{seed}");
    private readonly Precision _precision = Hardware.FastestPrecision(gpu: device.type == DeviceType.CUDA);
    private readonly Plan _plan = givenPlan with
    {
        Critic = Path.Combine(settings.Output.FullName, $"seed{seed}", "critic.safetensors"),
        Teacher = givenPlan.Teacher.Length == 0 ? Path.Combine(settings.Output.FullName, $"seed{seed}", "teacher.safetensors") : givenPlan.Teacher,
        TunedTeacher = Path.Combine(settings.Output.FullName, $"seed{seed}", "tuned-teacher.safetensors"),
    };

    /// <summary>Reads the images, runs the experiment with each seed, writes table and report.</summary>
    public static void Run(Settings settings, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        Device device = Gpu.Of(settings.GpuDeviceId);
        Plan plan = Plans.Of(settings.Scale) with { Teacher = settings.Teacher?.FullName ?? "" };
        Check(settings, plan);
        DataParallel? ranks = Processes.Join();   // under mpirun all processes train; the first one writes into --out, which all read
        Results results = Results.Open(settings, ranks);

        var ml = new MLContext(seed: 1);
        // Tiny ImageNet's test split has no labels, CUB has no other.
        using LabelledSet images = LabelledSet.Load(
            ml, settings.Images, [ImageFolderSplit.Validation, ImageFolderSplit.Test], plan.Mae.Preprocessing, ranks, cancellation);
        using LabelledSet? cub = settings.Cub is null ? null
            : LabelledSet.Load(ml, settings.Cub, [ImageFolderSplit.Test, ImageFolderSplit.Validation], plan.Mae.Preprocessing, ranks, cancellation);
        using LabelledSet? judging = settings.Rates.Count > 1 ? images.WithoutTest() : null;
        Console.WriteLine(cub is null ? $"{images}" : $"{images}\n{cub}");
        results.Save();   // not before the images are there: a folder with results asks for --resume

        string table = "";
        for (int seed = 1; seed <= settings.Seeds; seed++)
        {
            var experiment = new Experiment(images, cub, judging, plan, results, device, seed, settings, ranks, cancellation);
            if (settings.Methods.Any(m => m.Helper == Helper.Critic)) experiment.TrainCritic();
            if (plan.Teacher.Length == 0 && settings.Methods.Any(m => m.Helper is Helper.Teacher or Helper.TunedTeacher)) experiment.TrainTeacher();
            if (settings.Methods.Any(m => m.Helper == Helper.TunedTeacher)) experiment.TuneTeacher();
            foreach (Method method in settings.Methods)
            {
                experiment.Measure(method);
                if (!ranks.IsFirst()) continue;
                table = ResultTable.Of(settings, results);
                AtomicFile.Write(Path.Combine(settings.Output.FullName, "table.md"), stream => stream.Write(Encoding.UTF8.GetBytes(table)));
                experiment.Report();
            }
        }
        Console.WriteLine($"\nTop-1 in % on {images.Test.Count}{(cub is null ? "" : $" and {cub.Test.Count}")} test images:\n\n{table}");
        if (ResultTable.NoBetterThanRandom(settings, results) is [_, ..] weak)
            Console.WriteLine($"Not above random weights in the linear probe by more than the spread: {string.Join(", ", weak)}.");
        Console.WriteLine($"{settings.Output.FullName}: table.md, report.html, results.json, weights ({clock.Elapsed:hh\\:mm\\:ss})");
    }

    /// <summary>Says what is wrong with a row before hours are spent on the rows before it.</summary>
    private static void Check(Settings settings, Plan plan)
    {
        foreach (Method method in settings.Methods)
        {
            if (method.Helper == Helper.TunedTeacher && plan is not { Teacher: "", TeacherTraining: not null })
                throw new ArgumentException(
                    $"{method.Key} fine-tunes the teacher that is pretrained here, without --teacher and not at --scale imagenet: to learn from a teacher that is "
                    + "tuned already, name distil and give its file with --teacher.");
            if (method.Helper == Helper.Teacher && plan is { Teacher: "", TeacherTraining: null })
                throw new ArgumentException(
                    $"{method.Key} at --scale {settings.Scale.ToString().ToLowerInvariant()} learns from a published teacher: give MAE's ViT-L as a "
                    + "safetensors file with --teacher FILE, or name other rows with --methods.");
            bool trainedFirst = method.Helper is Helper.Critic or Helper.TunedTeacher || (method.Helper == Helper.Teacher && plan.Teacher.Length == 0);
            if (!trainedFirst) method.Pretraining?.Invoke(plan).Validate();
        }
    }

    private void TrainCritic()
    {
        if (results.Critics.ContainsKey(seed)) return;
        SupervisedResult<SqueezeNet> result = Stage("critic", "critic", _plan.CriticTraining, options =>
            CriticTraining.Run(images.Training, images.Test, options, _plan.Mae.Preprocessing, device));
        using (SqueezeNet critic = result.Model) ranks.OnFirst(() => critic.Save(_plan.Critic));
        results.Critics[seed] = Top1(result.History);
        results.Save();
        DeleteCheckpoints("critic");
    }

    private void TrainTeacher()
    {
        if (results.Teachers.ContainsKey(seed)) return;
        MaePretrainResult result = Stage("teacher", "teacher", _plan.TeacherTraining!, options =>
            MaePretraining.Run(images.Training.Images, options, device));
        using (result.Model) ranks.OnFirst(() => result.Encoder.Save(_plan.Teacher));
        results.Teachers[seed] = result.LastLoss;
        results.Save();
        DeleteCheckpoints("teacher");
    }

    private void TuneTeacher()
    {
        if (results.TunedTeachers.ContainsKey(seed)) return;
        SupervisedResult<ImageClassifier> result = Stage("teacher", "teacher's fine-tuning", _plan.TinyImageNet, options =>
            FineTuning.Run(images.Training, images.Test, options with { EncoderWeights = _plan.Teacher }, device));
        using (result.Model) ranks.OnFirst(() => new ImageEncoder(result.Model.Model.Backbone, result.Model.Preprocessing).Save(_plan.TunedTeacher));
        results.TunedTeachers[seed] = Top1(result.History);
        results.Save();
        DeleteCheckpoints("teacher");
    }

    /// <summary>Measures what has not been measured yet of a row.</summary>
    private void Measure(Method method)
    {
        Figures row = results.Of(method, seed);
        string[] missing = settings.ProbesOnly ? [] : [.. settings.Tunings.Except(row.Tuned.Keys)];
        if (missing.Length == 0 && row is { Neighbors: not null, LinearProbe: not null }) return;
        using ImageEncoder encoder = Encoder(method, ref row);
        bool scratch = method.Pretraining is null;
        if (row.Neighbors is null)
        {
            Evaluation nearest = KNearestNeighbors.Evaluate(encoder, images.Training, images.Test, cancellationToken: cancellation);
            results.Set(row = row with { Neighbors = nearest.Top1 });
        }
        if (row.LinearProbe is null)
        {
            var probe = Stage(method.Key, "linear probe", _plan.Probe, options => LinearProbe.Run(encoder, images.Training, images.Test, options));
            probe.Model.Dispose();
            results.Set(row = row with { LinearProbe = Top1(probe.History), Seconds = row.Seconds + Seconds(probe.History, images.Training) });
        }
        foreach (double share in settings.LabelShares.Where(share => missing.Contains(Settings.Tuning(share))))
        {
            using LabelledSet some = images.WithLabels(share, seed);
            FineTuneOptions options = scratch ? _plan.ScratchTinyImageNet : _plan.TinyImageNet;
            double longer = Math.Sqrt(1 / share);   // a tenth of the images is seen three times as often
            FineTune(Settings.Tuning(share), some, options with
            {
                Epochs = (int)Math.Round(options.Epochs * longer), WarmupEpochs = options.WarmupEpochs * longer,
                BatchSize = (int)Math.Min(options.BatchSize, some.Training.Count),
            });
        }
        if (cub is not null && missing.Contains(settings.Cub!.Name)) FineTune(settings.Cub.Name, cub, scratch ? _plan.ScratchCub : _plan.Cub);
        DeleteCheckpoints(method.Key);

        void FineTune(string name, LabelledSet set, FineTuneOptions options)
        {
            if (!scratch) options = options with { Encoder = encoder };
            var tuned = Stage(method.Key, $"fine-tuning, {name}", options, o => FineTuning.Run(set.Training, set.Test, o, device));
            tuned.Model.Dispose();
            results.Set(row = row with
            {
                Tuned = new(row.Tuned) { [name] = Top1(tuned.History) }, Seconds = row.Seconds + Seconds(tuned.History, set.Training),
            });
        }
    }

    /// <summary>The method's encoder: random, pretrained in an earlier run, or pretrained now.</summary>
    private ImageEncoder Encoder(Method method, ref Figures row)
    {
        ImageEncoder encoder;
        if (method.Pretraining is null) encoder = ImageEncoder.Create(_plan.Mae.Encoder, seed, device);
        else if (row.ImagesPerSecond is not null) encoder = ImageEncoder.Load(EncoderPath(method), device);
        else
        {
            double rate = BestRate(method);
            MaePretrainOptions settled = AtRate(method.Pretraining(_plan), rate);
            PeakMemory.Restart();
            MaePretrainResult result = Stage(method.Key, "pretraining", settled, options => MaePretraining.Run(images.Training.Images, options, device));
            double? memory = PeakMemory.Read();
            encoder = result.Encoder;
            if (ranks.IsFirst()) Save(method, result, settled);
            double seconds = Seconds(result.History, images.Training), speed = result.History.Count * images.Training.Count / seconds;
            results.Set(row = row with { ImagesPerSecond = speed, PeakMegabytes = memory, Seconds = row.Seconds + seconds, Rate = rate });
        }
        encoder.Model.Precision = _precision;
        return encoder;
    }

    private void Save(Method method, MaePretrainResult result, MaePretrainOptions options)
    {
        result.Encoder.Save(EncoderPath(method));
        if (result.Model.PictureFault is null) SafeTensors.Save(AutoencoderPath(method), ModelWeights.Of(result.Model));
        new HtmlReport($"{method.Name}, seed {seed}").AddHistory("Pretraining", result.History).AddFusionWeights("Fused blocks", result.Model.Encoder)
            .AddSettings("Settings", options).Save(Path.ChangeExtension(EncoderPath(method), ".html"));
    }

    /// <summary>The factor of a method's learning rate that serves it best: trials with the first seed, judged by neighbours among training images.</summary>
    private double BestRate(Method method)
    {
        if (judging is null) return settings.Rates[0];
        MaePretrainOptions whole = method.Pretraining!(_plan);
        MaePretrainOptions trial = whole with { Epochs = (whole.Epochs + 1) / 2, WarmupEpochs = whole.WarmupEpochs / 2 };
        foreach (double rate in settings.Rates)
        {
            string name = Results.Trial(method, rate);
            if (results.Trials.ContainsKey(name)) continue;
            try
            {
                MaePretrainResult result = Stage(method.Key, name, AtRate(trial, rate), options => MaePretraining.Run(judging.Training.Images, options, device));
                using (result.Model)
                {
                    double top1 = KNearestNeighbors.Evaluate(result.Encoder, judging.Training, judging.Test, cancellationToken: cancellation).Top1;
                    results.Trials[name] = ranks.OnFirst(() => top1);   // all go on with the same rate
                }
            }
            catch (NonFiniteLossException) { results.Trials[name] = 0; }   // too high a rate
            results.Save();
        }
        return settings.Rates.MaxBy(rate => results.Trials[Results.Trial(method, rate)]);
    }

    private static MaePretrainOptions AtRate(MaePretrainOptions options, double rate) =>
        options with { LearningRate = options.LearningRate * rate, MinimumLearningRate = options.MinimumLearningRate * rate };

    /// <summary>One page: the table, and what each method's model of this seed makes of some test images.</summary>
    private void Report()
    {
        string[][] table = ResultTable.Cells(settings, results);
        var report = new HtmlReport("Ways to pretrain").AddTable($"Top-1 in % on {images.Name}", table[0], table[1..]);
        long[] shown = images.OneOfEachClass(6);
        foreach (Method method in settings.Methods)
        {
            if (results.Of(method, seed) is { Neighbors: null }) continue;
            string name = $"{method.Name} {method.Masking}".TrimEnd();
            if (File.Exists(AutoencoderPath(method)))
            {
                MaePretrainOptions options = method.Pretraining!(_plan) with { Seed = seed };
                using var model = new MaskedAutoencoder(options.Encoder, options.Decoder, target: options.Objective.Target);
                ModelWeights.Load(model, AutoencoderPath(method));
                report.AddPicture($"{name}: reconstructions", ReconstructionGrid.Draw(model, images.Test.Images, shown, options),
                    "Original, what the encoder sees, what it is completed to.");
            }
            using ImageEncoder encoder = method.Pretraining is null ? ImageEncoder.Create(_plan.Mae.Encoder, seed) : ImageEncoder.Load(EncoderPath(method));
            if (encoder.Model.Config.ClassToken != ClassToken.None)
                report.AddPicture($"{name}: attention", AttentionMaps.Draw(encoder, images.Test.Images, shown),
                    "What the class token looks at in the last block, head by head.");
        }
        report.Save(Path.Combine(settings.Output.FullName, "report.html"));
    }

    private string EncoderPath(Method method) => Path.Combine(_folder, method.Key, "encoder.safetensors");

    private string AutoencoderPath(Method method) => Path.Combine(_folder, method.Key, "autoencoder.safetensors");

    /// <summary>Does one stage, which goes on where an earlier run left it.</summary>
    private TResult Stage<TOptions, TResult>(string row, string name, TOptions options, Func<TOptions, TResult> run)
        where TOptions : TrainingOptions
    {
        TrainingOptions once = options is SupervisedOptions supervised ? supervised with { ValidateEvery = supervised.Epochs } : options;   // see Top1
        return run((TOptions)(once with
        {
            Seed = seed, Precision = _precision, Progress = new StageProgress($"seed {seed}, {row}, {name}"), CancellationToken = cancellation, Distributed = ranks,
            Checkpoints = new CheckpointOptions { Directory = Path.Combine(Checkpoints(row), name), Interval = TimeSpan.FromMinutes(1), Keep = 2 },
        }));
    }

    private string Checkpoints(string row) => Path.Combine(_folder, row, "checkpoints");

    private void DeleteCheckpoints(string row)
    {
        if (ranks.IsFirst() && Directory.Exists(Checkpoints(row))) Directory.Delete(Checkpoints(row), recursive: true);
    }

    /// <summary>Top-1 after the last epoch: no epoch is picked by the images that are measured on.</summary>
    private static double Top1(IReadOnlyList<EpochSummary> history) => history[^1].Validation!.Top1;

    /// <summary>Time spent on training steps, in all runs that a stage took.</summary>
    private static double Seconds(IReadOnlyList<EpochSummary> history, LabelledImages trained) =>
        history.Sum(epoch => trained.Count / epoch.ImagesPerSecond);
}

/// <summary>A data set in memory: images to train on and images to measure on.</summary>
internal sealed record LabelledSet(string Name, LabelledImages Training, LabelledImages Test) : IDisposable
{
    private const int HeldBack = 5;   // every fifth image, where there is no split to measure on

    /// <summary>Reads a folder in any layout that <c>LoadImageFolder</c> knows; classes are numbered in the order of their names.</summary>
    /// <param name="tests">The splits to measure on: the first that is there. Where none is, a fifth of each class is held back.</param>
    public static LabelledSet Load(
        MLContext ml, DirectoryInfo folder, IEnumerable<ImageFolderSplit> tests, ImagePreprocessing preprocessing, DataParallel? ranks,
        CancellationToken cancellation)
    {
        IDataView? Split(ImageFolderSplit split)
        {
            try { return ml.Data.LoadImageFolder(folder.FullName, split); }
            catch (ArgumentException) { return null; }   // there is no such split
        }
        IDataView trainingView = Split(ImageFolderSplit.Train) ?? ml.Data.LoadImageFolder(folder.FullName);
        string[] classes = [.. trainingView.GetColumn<string>("Label").Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length < 2) throw new InvalidDataException($"'{folder}' has images of one class only: expected a folder for each of two or more classes.");

        LabelledImages Read(IDataView view)
        {
            int[] labels = [.. view.GetColumn<string>("Label").Select(name => Array.IndexOf(classes, name))];
            int unknown = Array.IndexOf(labels, -1);
            string At(string column) => view.GetColumn<string>(column).ElementAt(unknown);
            if (unknown >= 0)
                throw new InvalidDataException(
                    $"{At("ImagePath")} is of the class '{At("Label")}', of which there is no image to train on in '{folder}'.");
            return new LabelledImages(ml.Data.LoadImageStore(view, "ImagePath", preprocessing, null, cancellation, ranks), labels);
        }

        LabelledImages training = Read(trainingView);
        if (tests.Select(Split).FirstOrDefault(view => view is not null) is { } test) return new LabelledSet(folder.Name, training, Read(test));
        using var whole = new LabelledSet(folder.Name, training, training);
        return whole.WithoutTest();
    }

    /// <summary>A set of the training images alone, of which every fifth of a class is there to measure on.</summary>
    public LabelledSet WithoutTest()
    {
        ILookup<bool, long> held = OfClasses().SelectMany(ofClass => ofClass.Select((image, i) => (image, Held: i % HeldBack == HeldBack - 1)))
            .ToLookup(x => x.Held, x => x.image);
        if (!held[true].Any()) throw new InvalidDataException($"{Name} has no class with {HeldBack} images, so none to measure on can be held back.");
        return new LabelledSet(Name, Some(held[false]), Some(held[true]));
    }

    /// <summary>The set with a share of the training images of each class, drawn by a seed, one at least.</summary>
    public LabelledSet WithLabels(double share, int seed)
    {
        if (share == 1) return this with { Owned = [] };
        var random = new Random(seed);
        LabelledImages some = Some(OfClasses().SelectMany(ofClass =>
        {
            long[] all = [.. ofClass];
            random.Shuffle(all);
            return all.Take(Math.Max(1, (int)Math.Round(share * all.Length)));
        }));
        return this with { Training = some, Owned = [some] };
    }

    /// <summary>The first test image of each of some classes.</summary>
    public long[] OneOfEachClass(int most) =>
        [.. Enumerable.Range(0, (int)Test.Count).Select(i => (long)i).GroupBy(i => Test[i]).Take(most).Select(ofClass => ofClass.First())];

    private IReadOnlyList<LabelledImages> Owned { get => field ?? [Training, Test]; init; }   // what is disposed with the set

    private IEnumerable<IGrouping<int, long>> OfClasses() =>
        Enumerable.Range(0, (int)Training.Count).Select(i => (long)i).GroupBy(i => Training[i]).OrderBy(ofClass => ofClass.Key);

    private LabelledImages Some(IEnumerable<long> indices)
    {
        long[] chosen = [.. indices.Order()];
        var store = new ImageStore(Training.Images.Height, Training.Images.Width, Training.Images.Channels);
        foreach (long image in chosen) store.Add(Training.Images[image]);
        return new LabelledImages(store, [.. chosen.Select(image => Training[image])]);
    }

    public override string ToString() => $"{Name}: {Training.Count} + {Test.Count} images of {Training.ClassCount} classes";

    public void Dispose()
    {
        foreach (LabelledImages images in Owned) images.Images.Dispose();
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
