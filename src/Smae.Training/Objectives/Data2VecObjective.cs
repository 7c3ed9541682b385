using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// data2vec for images (Baevski et al. 2022): a teacher, the moving average of the encoder, sees all patches; the encoder sees the hidden ones as a learned mask
/// token, and one linear layer predicts what the teacher makes of them: the mean of the outputs of its last blocks, each normalised over its channels. It hides
/// rectangles, <see cref="Masking.BlockWise"/>; <see cref="Recipes.Data2VecPretrain"/> has the rest.
/// </summary>
/// <remarks>
/// As in the published code the output of a block is the residual stream after it (the paper speaks of the MLP's output before it is added), and targets are
/// normalised once more after the mean. The published ViT has biases of relative positions in place of positions, and a scale for each branch; the encoder is ours,
/// with what its configuration says. There is no picture of what is predicted: <see cref="ReconstructionGrid"/> refuses. The student is what is kept, as there.
/// </remarks>
public sealed record Data2VecObjective : Objective
{
    private const double TargetEpsilon = 1e-5;

    internal Data2VecObjective()
    {
    }

    /// <summary>Blocks at the encoder's end whose outputs are the target; at most its depth. Default 6.</summary>
    [Range(1, int.MaxValue)] public int TopBlocks { get; init; } = 6;

    /// <summary>
    /// Differences below it count squared, larger ones by their size: the loss is <c>d^2 / (2 beta)</c> and <c>|d| - beta / 2</c>; 0 is the mean absolute error.
    /// Default 2.
    /// </summary>
    [Range(0, double.MaxValue)] public double Beta { get; init; } = 2;

    /// <summary>
    /// The teacher's share of itself after a step: <c>teacher = m teacher + (1 - m) encoder</c>. Default 0.9998, which remembers some 5,000 steps: a run of fewer
    /// steps needs less.
    /// </summary>
    [Range(0, 1.0)] public double Momentum { get; init; } = 0.9998;

    /// <summary>What that share is after the first step, if <see cref="MomentumWarmupSteps"/> is not 0. Default 0.999.</summary>
    [Range(0, 1.0)] public double InitialMomentum { get; init; } = 0.999;

    /// <summary>Steps in which it goes to <see cref="Momentum"/> linearly. Default 0, as published for images; the code's own default is 25,000.</summary>
    [Range(0, long.MaxValue)] public long MomentumWarmupSteps { get; init; }

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.None;

    /// <inheritdoc/>
    protected internal override bool HidesPatches => true;

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options) =>
        Expect(TopBlocks, TopBlocks <= options.Encoder.Depth, $"at most Encoder.Depth ({options.Encoder.Depth})");

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    /// <summary>The teacher's share of itself after a step, counted from 0.</summary>
    internal double MomentumAt(long step) =>
        step >= MomentumWarmupSteps ? Momentum : InitialMomentum + (Momentum - InitialMomentum) * step / MomentumWarmupSteps;

    internal sealed class Run : ObjectiveRun
    {
        private readonly Data2VecObjective _settings;
        private readonly VisionTransformer _encoder;
        private readonly FollowingTeacher _teacher;

        public Run(Data2VecObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_settings, _encoder, _teacher) = (settings, model.Encoder, Own(new FollowingTeacher(model.Encoder, device)));
            using Generator generator = options.HeadGenerator();
            Head = Own(new MaskTokenHead(model.Config, model.Config.EmbedDim, generator).to(device));
        }

        public MaskTokenHead Head { get; }

        public override IReadOnlyList<Parameter> Parameters => [.. Head.parameters()];

        public override IEnumerable<(string Name, Tensor Tensor)> State => [.. ModelWeights.Named(Head), .. _teacher.State];

        public override bool IsMeanOverImages => true;

        public override bool EncodesHidden => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor patches = _encoder.CutIntoPatches(batch.Images), prediction = Head.PredictHidden(_encoder, patches, batch.Mask);
            return nn.functional.smooth_l1_loss(prediction, Patches.Pick(Targets(patches), batch.Mask.HiddenIndices()), beta: _settings.Beta);
        }

        public override void StepEnded(TrainingPosition position) => _teacher.Follow(_settings.MomentumAt(position.Step));

        /// <summary>What is to be predicted for each patch, <c>[batch, patches, dim]</c>, without a graph.</summary>
        internal Tensor Targets(Tensor patches)
        {
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor Normalized(Tensor x) => nn.functional.layer_norm(x, [x.size(-1)], eps: TargetEpsilon);
            IEnumerable<Tensor> outputs = _teacher.Model.Streams(patches, visible: null).Skip(_encoder.Config.Depth - _settings.TopBlocks)
                .Select(stream => Normalized(_teacher.Model.PatchTokens(stream)));
            return Normalized(stack([.. outputs], 0).mean([0])).MoveToOuterDisposeScope();
        }
    }
}
