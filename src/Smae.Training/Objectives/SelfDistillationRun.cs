using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A run of <see cref="SelfDistillationObjective"/>: the teacher that follows the encoder.</summary>
internal sealed class SelfDistillationRun : ObjectiveRun
{
    private readonly SelfDistillationObjective _settings;
    private readonly MaskedAutoencoder _model;
    private readonly VisionTransformer _teacher;

    public SelfDistillationRun(SelfDistillationObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
    {
        (_settings, _model) = (settings, model);
        _teacher = new VisionTransformer(model.Config with { Dropout = 0 }, options.Seed ?? 0).to(device);
        _teacher.Precision = options.Precision;
        foreach (Parameter parameter in _teacher.parameters()) parameter.requires_grad_(false);
        Follow(momentum: 0);
    }

    public override IEnumerable<(string Name, Tensor Tensor)> State => ModelWeights.Of(_teacher).Select(w => ($"teacher.{w.Name}", w.Tensor));

    public override bool IsMeanOverImages => true;

    public override Tensor Loss(PretrainBatch batch)
    {
        Tensor targets = SelfDistillationObjective.Targets(TeacherFeatures(batch));
        return _settings.Compare(InFolds(Hidden(_model.forward(batch.Images, batch.Mask).Prediction, batch.Mask)), targets);
    }

    /// <summary>What the teacher makes of the hidden patches.</summary>
    /// <returns><c>[batch * folds, tokens, dim]</c>, the folds of an image one after the other; without a graph.</returns>
    internal Tensor TeacherFeatures(PretrainBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor patches = _teacher.CutIntoPatches(batch.Images);
        IEnumerable<Tensor> folds = batch.Mask.HiddenIndices().chunk(_settings.Folds, 1)
            .Select(fold => _teacher.WithoutClassToken(_teacher.Encode(patches, fold)));
        return stack([.. folds], 1).flatten(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>A prediction for the hidden patches alone, in the order of the mask.</summary>
    internal static Tensor Hidden(Tensor prediction, PatchMask mask) => Patches.Pick(prediction, mask.HiddenIndices());

    /// <summary>From <c>[batch, hidden, dim]</c> to <c>[batch * folds, tokens, dim]</c>.</summary>
    internal Tensor InFolds(Tensor hidden) => hidden.reshape(hidden.size(0) * _settings.Folds, -1, hidden.size(2));

    public override void EpochEnded(TrainingPosition position)
    {
        double momentum = new CosineSchedule(_settings.Momentum, WarmupSteps: 0, position.Epochs, _settings.FinalMomentum).At(position.Epoch);
        Follow(momentum);
    }

    /// <summary>The position table follows too, as in the published code, where it need not be the encoder's at first.</summary>
    private void Follow(double momentum) =>
        MovingAverage.Update(ModelWeights.Of(_teacher).Select(w => w.Tensor), ModelWeights.Of(_model.Encoder).Select(w => w.Tensor), momentum);

    public override void Dispose()
    {
        _teacher.Dispose();
        base.Dispose();
    }
}
