using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// SdAE ("SdAE: Self-distillated Masked Autoencoder", Chen et al. 2022): the decoder predicts features of the hidden patches instead of their pixels. They come
/// from a teacher, a slow moving average of the encoder, which sees the hidden patches in folds of equal size, as few at a time as the encoder sees visible
/// ones. A target is the teacher's output for a token, normalised over its channels.
/// </summary>
/// <remarks>
/// The teacher begins as a copy of the encoder and is updated at the end of each epoch (in the published code a run without several processes never updates it,
/// and it begins with random weights of its own). Folds are cut in the order of the mask, which is random for <see cref="Masking.Random"/> and row by row for
/// <see cref="Masking.Block"/>. There is no picture of what is predicted: <see cref="ReconstructionGrid"/> refuses.
/// </remarks>
public sealed record SelfDistillationObjective : Objective
{
    private const double TargetEpsilon = 1e-6, CosineFloor = 1e-8;

    /// <summary>Folds of the hidden patches; divides their number. Default 3, which with 75% hidden are as large as what is visible.</summary>
    [Range(1, int.MaxValue)] public int Folds { get; init; } = 3;

    /// <summary>The teacher's share of itself after the first epoch: <c>teacher = m teacher + (1 - m) encoder</c>. Default 0.96.</summary>
    [Range(0, 1.0)] public double Momentum { get; init; } = 0.96;

    /// <summary>What that share goes to over the run, along half a cosine by epoch. Default 0.99.</summary>
    [Range(0, 1.0)] public double FinalMomentum { get; init; } = 0.99;

    /// <summary>How features are compared. Default <see cref="FeatureLoss.TokenCosine"/>.</summary>
    public FeatureLoss Loss { get; init; } = FeatureLoss.TokenCosine;

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.Features;

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        int patches = options.Encoder.PatchCount, hidden = options.Masking.HiddenCount(options.Encoder.GridHeight, options.Encoder.GridWidth);
        return Expect(Folds, Folds < 1 || hidden % Folds == 0, $"a divisor of the {hidden} patches of {patches} that Masking hides");
    }

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, device);

    /// <summary>What the decoder is to predict: the teacher's features less their mean and divided by their deviation over the channels.</summary>
    internal static Tensor Targets(Tensor features) =>
        (features - features.mean([-1L], keepdim: true)) / features.var(-1, unbiased: true, keepdim: true).Plus(TargetEpsilon).sqrt();

    /// <summary>The loss of a prediction, <c>[folds, tokens, channels]</c> as the targets are.</summary>
    internal Tensor Compare(Tensor predicted, Tensor targets)
    {
        if (Loss == FeatureLoss.MeanSquaredError) return (predicted - targets).Squared().mean();
        int axis = Loss == FeatureLoss.TokenCosine ? 2 : 1;
        Tensor lengths = (predicted.norm(axis) * targets.norm(axis)).AtLeast(CosineFloor);
        return ((predicted * targets).sum(axis) / lengths).mean().SubtractedFrom(1);
    }

    internal sealed class Run : ObjectiveRun
    {
        private readonly SelfDistillationObjective _settings;
        private readonly MaskedAutoencoder _model;
        private readonly FollowingTeacher _teacher;

        public Run(SelfDistillationObjective settings, MaskedAutoencoder model, Device device) =>
            (_settings, _model, _teacher) = (settings, model, Own(new FollowingTeacher(model.Encoder, device)));

        public override IEnumerable<(string Name, Tensor Tensor)> State => _teacher.State;

        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor targets = Targets(TeacherFeatures(batch));
            return _settings.Compare(InFolds(_model.PredictHidden(batch.Images, batch.Mask).Prediction), targets);
        }

        public override void EpochEnded(TrainingPosition position) =>
            _teacher.Follow(new CosineSchedule(_settings.Momentum, WarmupSteps: 0, position.Epochs, _settings.FinalMomentum).At(position.Epoch));

        /// <summary>What the teacher makes of the hidden patches.</summary>
        /// <returns><c>[batch * folds, tokens, dim]</c>, the folds of an image one after the other; without a graph.</returns>
        internal Tensor TeacherFeatures(PretrainBatch batch)
        {
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor patches = _teacher.Model.CutIntoPatches(batch.Images);
            batch.Mask.CheckSize(patches.size(0), patches.size(1));
            IEnumerable<Tensor> folds = batch.Mask.HiddenIndices().chunk(_settings.Folds, 1)
                .Select(fold => _teacher.Model.PatchTokens(_teacher.Model.Encode(patches, fold)));
            return stack([.. folds], 1).flatten(0, 1).MoveToOuterDisposeScope();
        }

        /// <summary>From <c>[batch, hidden, dim]</c> to <c>[batch * folds, tokens, dim]</c>.</summary>
        internal Tensor InFolds(Tensor hidden) => hidden.reshape(hidden.size(0) * _settings.Folds, -1, hidden.size(2));
    }
}

/// <summary>How predicted features are compared with a teacher's in <see cref="SelfDistillationObjective"/>.</summary>
public enum FeatureLoss
{
    /// <summary>1 - the cosine between the two vectors of a token, mean over tokens.</summary>
    TokenCosine,

    /// <summary>
    /// 1 - the cosine between what a channel is over the tokens of a fold, mean over channels: what the code of SdAE computes, surely meant as
    /// <see cref="TokenCosine"/>.
    /// </summary>
    ChannelCosine,

    /// <summary>The mean squared error, as the text of SdAE has it.</summary>
    MeanSquaredError,
}
