using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// iBOT (Zhou et al. 2022): DINO, and beside it masked patches. The student sees the global crops with some patches replaced by a learned token, and what its head
/// makes of these is to be what the teacher's makes of the same patches, which the teacher sees. Head and teacher are those of <see cref="DinoObjective"/>; class
/// tokens and patches share the head and have a centre each. The defaults are those of bytedance/ibot's published runs; <see cref="Recipes.IBotPretrain"/> has the
/// other options that go with them.
/// </summary>
/// <remarks>As in the published code rectangles hide what the ratio says, or somewhat less where none of ten fits; the masking of the run is not used.</remarks>
public sealed record IBotObjective : DinoObjective
{
    internal IBotObjective() =>
        (OutputDim, GlobalCropScale, LocalCrops, LocalCropScale, TeacherTemperature, TeacherTemperatureWarmupEpochs) =
        (8192, (0.25, 1), 10, (0.05, 0.25), 0.07, 30);

    /// <summary>Weight of DINO's loss. Default 1.</summary>
    [Range(0, double.MaxValue)] public double ClassWeight { get; init; } = 1;

    /// <summary>Weight of the loss of hidden patches. Default 1.</summary>
    [Range(0, double.MaxValue)] public double PatchWeight { get; init; } = 1;

    /// <summary>Share of the patches that is hidden in a global crop, on average. Default 0.3.</summary>
    [Range(0, 1.0)] public double HiddenRatio { get; init; } = 0.3;

    /// <summary>How far that share goes up and down, uniformly; at most the ratio. Default 0.2.</summary>
    [Range(0, 1.0)] public double HiddenRatioVariation { get; init; } = 0.2;

    /// <summary>How many of the global crops hide nothing, as a share. Default 0.5.</summary>
    [Range(0, 1.0)] public double WholeCrops { get; init; } = 0.5;

    /// <summary>Epochs at the start in which nothing is hidden. Default 0.</summary>
    [Range(0, int.MaxValue)] public int WholeEpochs { get; init; }

    /// <summary>What the teacher's logits of patches are divided by. Default 0.07.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double TeacherPatchTemperature { get; init; } = 0.07;

    /// <summary>
    /// That temperature in the first epoch that hides patches; from there it goes linearly, as long as that of class tokens does, to
    /// <see cref="TeacherPatchTemperature"/>. Default 0.04.
    /// </summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double WarmupTeacherPatchTemperature { get; init; } = 0.04;

    /// <summary>The patches' centre's share of itself in each step. Default 0.9.</summary>
    [Range(0, 1.0)] public double PatchCenterMomentum { get; init; } = 0.9;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new PatchRun(this, model, options, device);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options) =>
    [
        .. base.Faults(options),
        .. Expect(HiddenRatioVariation, HiddenRatioVariation <= Math.Min(HiddenRatio, 1 - HiddenRatio),
            $"at most Objective.HiddenRatio ({HiddenRatio}) and what it lacks of 1"),
        .. Expect(WholeEpochs, WholeEpochs <= options.Epochs, $"a number up to Epochs ({options.Epochs})"),
    ];

    internal double TeacherPatchTemperatureAt(int epoch) => Warmed(WarmupTeacherPatchTemperature, TeacherPatchTemperature, epoch - WholeEpochs);

    /// <summary>Which patches of the global crops are hidden, <c>[crops, patches]</c>, bool.</summary>
    /// <param name="place">The place of a crop among all of the step, from its place here.</param>
    internal Tensor DrawHidden(int crops, int gridHeight, int gridWidth, int epoch, long seed, Func<int, int>? place = null)
    {
        int patches = gridHeight * gridWidth, third = Math.Min(gridHeight, gridWidth) / 3;
        var hidden = new bool[crops * patches];
        if (epoch >= WholeEpochs)
            Parallel.For(0, crops, crop =>
            {
                var random = new RandomSequence(RandomStream.Mix(seed, place?.Invoke(crop) ?? crop));
                if (random.Chance(WholeCrops)) return;
                int count = (int)(patches * random.Uniform(HiddenRatio - HiddenRatioVariation, HiddenRatio + HiddenRatioVariation));
                BlockWiseMasking.Hide(hidden.AsSpan(crop * patches, patches), gridHeight, gridWidth, count, third * third, int.MaxValue, random);
            });
        return tensor(hidden).view(crops, patches);
    }

    internal sealed class PatchRun : Run
    {
        private readonly IBotObjective _settings;
        private readonly LogitCenter _center;
        private readonly Parameter _maskToken;

        public PatchRun(IBotObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device) : base(settings, model, options, device)
        {
            _settings = settings;
            _center = Own(new LogitCenter(settings.OutputDim, settings.PatchCenterMomentum, device));
            _maskToken = Own(new Parameter(zeros([1, 1, model.Config.EmbedDim], device: device)));
            _maskToken.DetachFromDisposeScope();
        }

        public override IReadOnlyList<Parameter> Parameters => [.. base.Parameters, _maskToken];

        public override IEnumerable<(string Name, Tensor Tensor)> State => [.. base.State, ("patch_center", _center.Value), ("mask_token", _maskToken)];

        public override Tensor Loss(PretrainBatch batch)
        {
            (int epoch, VisionTransformerConfig shape) = (batch.Position.Epoch, Student.Config);
            using Tensor hidden = _settings.DrawHidden(
                2 * batch.Count, shape.GridHeight, shape.GridWidth, epoch, batch.Seed, crop => crop / batch.Count * batch.WholeCount + batch.First + crop % batch.Count);
            (Tensor classes, Tensor patches) = Losses(Crops(batch), hidden, epoch);
            return classes.Times(_settings.ClassWeight).Plus(patches.Times(_settings.PatchWeight));
        }

        public override void StepEnded(TrainingPosition position)
        {
            base.StepEnded(position);
            _center.Move(Ranks);
        }

        /// <summary>The two losses before they are weighted.</summary>
        /// <param name="crops">The two global crops, then the local ones.</param>
        /// <param name="hidden">Which patches of the global crops the student does not see, <c>[2 * batch, patches]</c>, bool.</param>
        internal (Tensor Classes, Tensor Patches) Losses(Tensor[] crops, Tensor hidden, int epoch)
        {
            Tensor large = cat(crops[..2], 0), teacher = TeacherTokens(large);
            hidden = hidden.Upload(large.device);
            Tensor tokens = Student.EncodeCrops(large, new MaskTokens(hidden, _maskToken));
            return (ClassLoss(tokens, teacher, crops, epoch), PatchLoss(Student.PatchTokens(tokens), Student.PatchTokens(teacher), hidden, epoch));
        }

        /// <summary>
        /// Cross entropy between what teacher and student make of the hidden patches: the mean over those of a crop, then over crops, 0 for one that hides none.
        /// </summary>
        private Tensor PatchLoss(Tensor student, Tensor teacher, Tensor hidden, int epoch)
        {
            Tensor logits = TeacherLogits(teacher.flatten(0, 1)), rows = hidden.flatten().nonzero().squeeze(1);
            _center.Count(logits);
            Tensor targets = _center.Probabilities(logits.index_select(0, rows), _settings.TeacherPatchTemperatureAt(epoch));
            Tensor predicted = Head.forward(student.flatten(0, 1).index_select(0, rows)).DividedBy(_settings.StudentTemperature).log_softmax(-1);
            Tensor shares = (hidden.to_type(ScalarType.Float32) / hidden.sum(1, keepdim: true).AtLeast(1)).flatten().index_select(0, rows);
            return (targets * predicted).sum(-1).mul(shares).sum().DividedBy(-(double)hidden.size(0));
        }
    }
}
