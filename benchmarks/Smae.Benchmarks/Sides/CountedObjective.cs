using Smae.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>An objective that counts how often a loss is asked for: in how many parts a step is done.</summary>
internal sealed record CountedObjective(Objective Inner, Action LossMade) : Objective
{
    public override DecoderTarget Target => Inner.Target;

    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(Inner.Begin(model, options, device), LossMade);

    private sealed class Run(ObjectiveRun inner, Action lossMade) : ObjectiveRun
    {
        public override IReadOnlyList<Parameter> Parameters => inner.Parameters;

        public override IEnumerable<(string Name, Tensor Tensor)> State => inner.State;

        public override bool IsMeanOverImages => inner.IsMeanOverImages;

        public override Tensor Loss(PretrainBatch batch)
        {
            lossMade();
            return inner.Loss(batch);
        }

        public override void Dispose()
        {
            inner.Dispose();
            base.Dispose();
        }
    }
}
