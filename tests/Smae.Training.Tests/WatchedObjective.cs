using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>An objective that tells of every step it has made; for a checkpoint it is the one inside.</summary>
internal sealed record WatchedObjective(Objective Inner, Action Made) : Objective
{
    protected internal override string Identity => Inner.Identity;

    public override DecoderTarget Target => Inner.Target;

    internal override bool WarmupIncludesPeak => Inner.WarmupIncludesPeak;

    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(Inner.Begin(model, options, device), Made);

    public override string ToString() => Inner.ToString();

    private sealed class Run(ObjectiveRun inner, Action made) : ObjectiveRun
    {
        public override IReadOnlyList<Parameter> Parameters => inner.Parameters;

        public override int FrozenEpochs(Parameter parameter) => inner.FrozenEpochs(parameter);

        public override IEnumerable<(string Name, Tensor Tensor)> State => inner.State;

        public override bool IsMeanOverImages => inner.IsMeanOverImages;

        public override void BatchReady(PretrainBatch batch) => inner.BatchReady(batch);

        public override Tensor Loss(PretrainBatch batch) => inner.Loss(batch);

        public override void GradientsReady(TrainingPosition position) => inner.GradientsReady(position);

        public override void StepEnded(TrainingPosition position)
        {
            inner.StepEnded(position);
            made();
        }

        public override void EpochEnded(TrainingPosition position) => inner.EpochEnded(position);

        public override void RunEnded() => inner.RunEnded();

        public override void Dispose()
        {
            inner.Dispose();
            base.Dispose();
        }
    }
}
