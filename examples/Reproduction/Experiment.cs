using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;
using static TorchSharp.torch;

namespace Reproduction;

/// <summary>The experiment with one seed: a critic, then for each method pretraining, linear probe and fine-tuning on both sets.</summary>
internal sealed class Experiment
{
    private readonly LabelledSet _tinyImageNet, _cub;
    private readonly Plan _plan;
    private readonly Results _results;
    private readonly Device _device;
    private readonly Precision _precision;
    private readonly int _seed;
    private readonly string _folder;
    private readonly CancellationToken _cancellation;
    private readonly bool _trainTeacher, _probesOnly;

    /// <param name="tinyImageNet">What is pretrained and fine-tuned on.</param>
    /// <param name="cub">What is fine-tuned on too.</param>
    /// <param name="plan">All settings.</param>
    /// <param name="results">Takes what is measured.</param>
    /// <param name="device">Where.</param>
    /// <param name="seed">Of everything random.</param>
    /// <param name="folder">Where weights and checkpoints go.</param>
    /// <param name="probesOnly">Whether fine-tuning is left out.</param>
    /// <param name="cancellation">Stops between two steps, after a checkpoint.</param>
    public Experiment(
        LabelledSet tinyImageNet, LabelledSet cub, Plan plan, Results results, Device device, int seed, string folder, bool probesOnly,
        CancellationToken cancellation)
    {
        (_trainTeacher, _probesOnly) = (plan.Teacher.Length == 0, probesOnly);
        (_tinyImageNet, _cub, _results, _device, _seed, _folder) = (tinyImageNet, cub, results, device, seed, folder);
        _plan = plan with
        {
            Critic = Path.Combine(folder, "critic.safetensors"),
            Teacher = _trainTeacher ? Path.Combine(folder, "teacher.safetensors") : plan.Teacher,
        };
        _precision = Hardware.FastestPrecision(gpu: device.type == TorchSharp.DeviceType.CUDA);
        _cancellation = cancellation;
    }

    /// <summary>Trains what the methods learn from, unless that is done or given.</summary>
    public void Prepare(IReadOnlyList<Method> methods)
    {
        if (methods.Any(m => m.Helper == Helper.Critic) && _results.Critic(_seed) is null) TrainCritic();
        bool teacher = _trainTeacher && methods.Any(m => m.Helper == Helper.Teacher) && _results.Teacher(_seed) is null;
        if (teacher) TrainTeacher(_plan.TeacherTraining!);
    }

    private void TrainCritic()
    {
        SupervisedResult<SqueezeNet> result = Stage("critic", "critic", _plan.CriticTraining, options =>
            CriticTraining.Run(_tinyImageNet.Training, _tinyImageNet.Test, options, _plan.Mae.Preprocessing, _device));
        using (SqueezeNet critic = result.Model) critic.Save(_plan.Critic);
        _results.SetCritic(_seed, Top1(result.History));
        DeleteCheckpoints("critic");
    }

    private void TrainTeacher(MaePretrainOptions training)
    {
        MaePretrainResult result = Stage("teacher", "teacher", training, options => MaePretraining.Run(_tinyImageNet.Training.Images, options, _device));
        using (result.Model) result.Encoder.Save(_plan.Teacher);
        _results.SetTeacher(_seed, result.LastLoss);
        DeleteCheckpoints("teacher");
    }

    /// <summary>Measures what has not been measured yet of a row.</summary>
    public void Measure(Method method)
    {
        Figures row = _results.Of(method, _seed);
        bool tuned = _probesOnly || row is { TinyImageNet: not null, Cub: not null };
        if (tuned && row is { Neighbors: not null, LinearProbe: not null }) return;
        using ImageEncoder encoder = Encoder(method, row);
        row = _results.Of(method, _seed);
        if (row.Neighbors is null)
        {
            Evaluation nearest = KNearestNeighbors.Evaluate(encoder, _tinyImageNet.Training, _tinyImageNet.Test, cancellationToken: _cancellation);
            row = row with { Neighbors = nearest.Top1 };
            _results.Set(row);
        }
        if (row.LinearProbe is null)
        {
            var probe = Stage(method.Key, "linear probe", _plan.Probe, options =>
                LinearProbe.Run(encoder, _tinyImageNet.Training, _tinyImageNet.Test, options));
            probe.Model.Dispose();
            row = row with { LinearProbe = Top1(probe.History), Seconds = row.Seconds + Seconds(probe.History, _tinyImageNet) };
            _results.Set(row);
        }
        bool scratch = method.Pretraining is null;
        if (row.TinyImageNet is null && !_probesOnly)
        {
            var history = FineTune(method, encoder, _tinyImageNet, scratch ? _plan.ScratchTinyImageNet : _plan.TinyImageNet);
            row = row with { TinyImageNet = Top1(history), Seconds = row.Seconds + Seconds(history, _tinyImageNet) };
            _results.Set(row);
        }
        if (row.Cub is null && !_probesOnly)
        {
            var history = FineTune(method, encoder, _cub, scratch ? _plan.ScratchCub : _plan.Cub);
            row = row with { Cub = Top1(history), Seconds = row.Seconds + Seconds(history, _cub) };
            _results.Set(row);
        }
        DeleteCheckpoints(method.Key);
    }

    /// <summary>The method's encoder: random, pretrained in an earlier run, or pretrained now.</summary>
    private ImageEncoder Encoder(Method method, Figures row)
    {
        string path = Path.Combine(_folder, method.Key, "encoder.safetensors");
        ImageEncoder encoder;
        if (method.Pretraining is null) encoder = ImageEncoder.Create(_plan.Mae.Encoder, _seed, _device);
        else if (row.ImagesPerSecond is not null) encoder = ImageEncoder.Load(path, _device);
        else
        {
            PeakMemory.Restart();
            MaePretrainResult result = Stage(method.Key, "pretraining", method.Pretraining(_plan), options =>
                MaePretraining.Run(_tinyImageNet.Training.Images, options, _device));
            double? memory = PeakMemory.Read();
            encoder = result.Encoder;
            encoder.Save(path);
            new HtmlReport($"{method.Name}, seed {_seed}").AddHistory("Pretraining", result.History).AddFusionWeights("Fused blocks", encoder.Model)
                .AddSettings("Settings", method.Pretraining(_plan)).Save(Path.ChangeExtension(path, ".html"));
            double seconds = Seconds(result.History, _tinyImageNet);
            double speed = result.History.Count * _tinyImageNet.Training.Count / seconds;
            _results.Set(row with { ImagesPerSecond = speed, PeakMegabytes = memory, Seconds = row.Seconds + seconds });
        }
        encoder.Model.Precision = _precision;
        return encoder;
    }

    private IReadOnlyList<EpochSummary> FineTune(Method method, ImageEncoder encoder, LabelledSet set, FineTuneOptions options)
    {
        if (method.Pretraining is not null) options = options with { Encoder = encoder };
        var result = Stage(method.Key, $"fine-tuning on {set.Name}", options, o => FineTuning.Run(set.Training, set.Test, o, _device));
        result.Model.Dispose();
        return result.History;
    }

    /// <summary>Does one stage, which goes on where an earlier run left it.</summary>
    private TResult Stage<TOptions, TResult>(string row, string name, TOptions options, Func<TOptions, TResult> run)
        where TOptions : TrainingOptions =>
        StageProgress.Show($"seed {_seed}, {row}, {name}", progress => run((TOptions)((TrainingOptions)options with
        {
            Seed = _seed, Precision = _precision, Progress = progress, CancellationToken = _cancellation,
            Checkpoints = new CheckpointOptions { Directory = Path.Combine(Checkpoints(row), name), Interval = TimeSpan.FromMinutes(1), Keep = 2 },
        })));

    private string Checkpoints(string row) => Path.Combine(_folder, row, "checkpoints");

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
internal sealed class LabelledSet : IDisposable
{
    private LabelledSet(string name, LabelledImages training, LabelledImages test) => (Name, Training, Test) = (name, training, test);

    public string Name { get; }

    public LabelledImages Training { get; }

    public LabelledImages Test { get; }

    /// <summary>Reads a folder in any layout that <c>LoadImageFolder</c> knows; classes are numbered in the order of their names.</summary>
    /// <param name="ml">Where it is read.</param>
    /// <param name="folder">The data set.</param>
    /// <param name="test">The split to measure on: CUB has a test split, Tiny ImageNet's has no labels.</param>
    /// <param name="preprocessing">The size of the images.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static LabelledSet Load(
        MLContext ml, DirectoryInfo folder, ImageFolderSplit test, ImagePreprocessing preprocessing, CancellationToken cancellation)
    {
        IDataView trainingView = ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Train);
        IDataView testView = ml.Data.LoadImageFolder(folder.FullName, test);
        string[] classes = [.. trainingView.GetColumn<string>("Label").Distinct().Order(StringComparer.Ordinal)];

        LabelledImages Read(IDataView view)
        {
            int[] labels = [.. view.GetColumn<string>("Label").Select(name => Array.IndexOf(classes, name))];
            int unknown = Array.IndexOf(labels, -1);
            if (unknown >= 0)
                throw new InvalidDataException(
                    $"{At("ImagePath")} is of the class '{At("Label")}', of which there is no image to train on in '{folder}'.");
            return new LabelledImages(ml.Data.LoadImageStore(view, "ImagePath", preprocessing, cancellationToken: cancellation), labels);

            string At(string column) => view.GetColumn<string>(column).ElementAt(unknown);
        }

        return new LabelledSet(folder.Name, Read(trainingView), Read(testView));
    }

    public override string ToString() => $"{Name}: {Training.Count} + {Test.Count} images of {Training.ClassCount} classes";

    public void Dispose()
    {
        Training.Images.Dispose();
        Test.Images.Dispose();
    }
}
