using System.Diagnostics;
using Smae.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>An objective that asks for the batch first and tells how long that took: all that a step of training waits for its data.</summary>
internal sealed record TimedObjective(Objective Inner, Action<TimeSpan> BatchMade) : Objective
{
    public override DecoderTarget Target => Inner.Target;

    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(Inner.Begin(model, options, device), BatchMade);

    private sealed class Run(ObjectiveRun inner, Action<TimeSpan> batchMade) : ObjectiveRun
    {
        public override IReadOnlyList<Parameter> Parameters => inner.Parameters;

        public override IEnumerable<(string Name, Tensor Tensor)> State => inner.State;

        public override Tensor Loss(PretrainBatch batch)
        {
            long start = Stopwatch.GetTimestamp();
            _ = (batch.Images, batch.Mask);
            batchMade(Stopwatch.GetElapsedTime(start));
            return inner.Loss(batch);
        }

        public override void Dispose()
        {
            inner.Dispose();
            base.Dispose();
        }
    }
}
