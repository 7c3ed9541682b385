using System.Globalization;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what facebookresearch/dino computes, from its own weights: head, loss, centre, gradients, clipping, the teacher's step, all
/// schedules.
/// </summary>
[TestClass]
public class DinoGoldenTests
{
    private const string Weights = "weights.", Teacher = "teacher.", TeacherAfter = "teacher_after.", Gradients = "grad.";

    public static IEnumerable<object[]> Files => Golden
        .Files(f => f.Contains("output.center_after") && f.Contains($"{Weights}last_layer.weight_v")).Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void HeadsLossAndCentreAgreeToOneInAHundredThousand(string path) => Run(path, run =>
    {
        SafeTensorsFile file = run.File;
        Tensor bottleneck = file.Read("output.bottleneck");   // stored as it is before it gets the length 1
        Close.To(bottleneck / bottleneck.norm(1, keepdim: true), run.Head.Bottleneck(run.Features), 1e-5, "bottleneck");
        Close.To(file.Read("output.student_logits"), run.Head.forward(run.Features), 1e-5, "the student's logits");
        Close.To(file.Read("output.teacher_logits"), run.TeacherLogits, 1e-5, "the teacher's logits");
        Close.To(file.Read("output.teacher_probabilities"), run.Loss.Center.Probabilities(run.TeacherLogits, run.Settings.TeacherTemperatureAt(run.Epoch)),
            1e-5, "the teacher's probabilities");
        Close.To(file.Read("output.loss"), run.LossOfAll().reshape(1), 1e-5, "loss");
        Close.To(file.Read("input.center"), run.Loss.Center.Value, 0, "the centre before the step ends");
        run.Loss.Center.Move(Ranks.Alone);
        Close.To(file.Read("output.center_after"), run.Loss.Center.Value, 1e-5, "the centre after it");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void ACentreMovedOnceForABatchInPartsIsThatOfTheWholeBatch(string path) => Run(path, run =>
    {
        Tensor student = run.Head.forward(run.Features), teacher = run.TeacherLogits;
        long batch = teacher.size(0) / 2;
        double sum = 0;
        for (long i = 0; i < batch; i++)
        {
            Tensor rows = tensor((long[])[i, batch + i]);
            sum += run.Loss.Of(student.index_select(0, rows), teacher.index_select(0, rows), run.Epoch).ToDouble();
        }
        run.Loss.Center.Move(Ranks.Alone);
        Assert.AreEqual(run.File.Read("output.loss")[0].ToDouble(), sum / batch, 1e-5);
        Close.To(run.File.Read("output.center_after"), run.Loss.Center.Value, 1e-5, "centre");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAndClippedGradientsAgreeToOneInTenThousand(string path) => Run(path, run =>
    {
        run.Features.requires_grad_(true);
        run.LossOfAll().backward();
        Close.To(run.File.Read("grad.input.student_features"), run.Features.grad!, 1e-4, "features");
        Dictionary<string, Parameter> trained =
            run.Head.named_parameters().Where(p => p.Item2.requires_grad).ToDictionary(p => p.Item1, p => p.Item2);
        Assert.IsFalse(trained.ContainsKey("last_layer.weight_g"), "the lengths of a normalised last layer are not trained");
        foreach ((string name, Parameter parameter) in trained) Close.To(run.File.Read(Gradients + name), parameter.grad!, 1e-4, name);
        DinoObjective.ClipEach(trained.Values, run.Number("clip_grad"));
        foreach ((string name, Parameter parameter) in trained) Close.To(run.File.Read($"clipped.{name}"), parameter.grad!, 1e-4, $"{name}, clipped");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void LengthsThatAreTrainedHaveTheSameGradient(string path) => Run(path, run =>
    {
        run.LossOfAll().backward();
        Parameter lengths = run.Head.named_parameters().Single(p => p.Item1 == "last_layer.weight_g").Item2;
        Close.To(run.File.Read("grad_unfrozen.last_layer.weight_g"), lengths.grad!, 1e-4, "lengths");
    }, s => s with { NormalizeLastLayer = false });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheTeacherFollowsAsMuch(string path) => Run(path, run =>
    {
        MovingAverage.Update(run.TeacherHead.parameters(), run.Head.parameters(), run.Number("ema_momentum"));
        foreach ((string name, Parameter parameter) in run.TeacherHead.named_parameters())
            Close.To(run.File.Read(TeacherAfter + name), parameter, 1e-6, name);
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void AllSchedulesAgree(string path) => Run(path, run =>
    {
        JsonElement json = JsonDocument.Parse(run.File.Metadata["schedules"]).RootElement;
        JsonElement rate = json.GetProperty("lr"), decay = json.GetProperty("weight_decay"), momentum = json.GetProperty("momentum");
        JsonElement temperature = json.GetProperty("teacher_temperature");
        int perEpoch = json.GetProperty("iterations_per_epoch").GetInt32();
        var options = new MaePretrainOptions
        {
            Epochs = json.GetProperty("epochs").GetInt32(), LearningRate = rate.GetProperty("base").GetDouble(),
            MinimumLearningRate = rate.GetProperty("final").GetDouble(), WarmupEpochs = rate.GetProperty("warmup_epochs").GetDouble(),
            WeightDecay = decay[0].GetDouble(), FinalWeightDecay = decay[1].GetDouble(),
            Objective = run.Settings with
            {
                TeacherMomentum = momentum[0].GetDouble(), FinalTeacherMomentum = momentum[1].GetDouble(),
                WarmupTeacherTemperature = temperature.GetProperty("from").GetDouble(),
                TeacherTemperature = temperature.GetProperty("to").GetDouble(),
                TeacherTemperatureWarmupEpochs = temperature.GetProperty("warmup_epochs").GetInt32(),
            },
        };
        var objective = (DinoObjective)options.Objective;
        Same("lr", options.LearningRates(perEpoch).At);
        Same("weight_decay", options.WeightDecays(perEpoch)!.At);
        Same("momentum", objective.TeacherMomenta((long)perEpoch * options.Epochs).At);
        Same("teacher_temperature", epoch => objective.TeacherTemperatureAt((int)epoch));

        void Same(string name, Func<long, double> at)
        {
            double[] expected = run.File.Read($"schedule.{name}").data<double>().ToArray();
            Assert.IsNotEmpty(expected);
            for (int i = 0; i < expected.Length; i++) Assert.AreEqual(expected[i], at(i), 1e-12 * Math.Abs(expected[i]) + 1e-18, $"{name}, {i}");
        }
    });

    private static void Run(string path, Action<GoldenRun> check, Func<DinoObjective, DinoObjective>? change = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using var run = new GoldenRun(SafeTensors.Open(path), change ?? (s => s));
        check(run);
    }

    /// <summary>Heads and loss as a file says they were.</summary>
    private sealed class GoldenRun : IDisposable
    {
        public GoldenRun(SafeTensorsFile file, Func<DinoObjective, DinoObjective> change)
        {
            File = file;
            Settings = change(new DinoObjective
            {
                HiddenDim = (int)Number("hidden_dim"), BottleneckDim = (int)Number("bottleneck_dim"), OutputDim = (int)Number("out_dim"),
                HeadLayers = (int)Number("nlayers"), StudentTemperature = Number("student_temperature"), CenterMomentum = Number("center_momentum"),
                TeacherTemperature = Number("teacher_temperature"),
            });
            using var generator = new Generator(1);
            (Head, TeacherHead) = (Load(Weights), Load(Teacher));
            Loss = new DinoLoss(Settings, CPU);
            Loss.Center.Value.copy_(file.Read("input.center"));
            Features = file.Read("input.student_features");
            using (no_grad()) TeacherLogits = TeacherHead.forward(file.Read("input.teacher_features"));

            DinoHead Load(string prefix)
            {
                var head = new DinoHead((int)Number("in_dim"), Settings, generator);
                ModelWeights.Load(head.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)), file, _ => false, prefix);
                return head;
            }
        }

        public SafeTensorsFile File { get; }

        public DinoObjective Settings { get; }

        public DinoHead Head { get; }

        public DinoHead TeacherHead { get; }

        public DinoLoss Loss { get; }

        public Tensor Features { get; }

        public Tensor TeacherLogits { get; }

        public int Epoch => (int)Number("epoch");

        public double Number(string key) => double.Parse(File.Metadata[key], CultureInfo.InvariantCulture);

        public Tensor LossOfAll() => Loss.Of(Head.forward(Features), TeacherLogits, Epoch);

        public void Dispose()
        {
            Head.Dispose();
            TeacherHead.Dispose();
            Loss.Dispose();
        }
    }
}
