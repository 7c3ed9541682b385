using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Makes the gradients of a batch on all cores at once, each thread of its own images (<see cref="CoreThreads"/>).</summary>
internal sealed class GradientWorkers : IDisposable
{
    private readonly GradientBuffer[] _buffers;
    private readonly double[] _sums;
    private readonly ForwardNoise? _noise;
    private readonly BFloat16Copies? _copies;
    private readonly RandomStream[] _random;

    /// <param name="optimizer">Holds the parameters; the first thread adds to its gradients, the others to buffers of their own.</param>
    /// <param name="threads">How many.</param>
    /// <param name="precision">What the model's products run in.</param>
    /// <param name="noise">What the model's dropout draws from; null if it has none.</param>
    /// <param name="seed">Seed of that.</param>
    public GradientWorkers(Optimizer optimizer, int threads, Precision precision, ForwardNoise? noise, long seed)
    {
        (_noise, _sums) = (noise, new double[threads]);
        _random = [.. Enumerable.Range(0, threads).Select(_ => new RandomStream(seed))];
        if (precision == Precision.BFloat16) _copies = new BFloat16Copies(optimizer);
        _buffers = [.. Enumerable.Range(0, threads).Select(i => new GradientBuffer(optimizer, own: i > 0, _copies))];
    }

    /// <summary>Adds the gradients of a step, or of a part of one, to the optimiser's.</summary>
    /// <param name="loss">How the loss is made; <see cref="StepLoss.OfPart"/> is given.</param>
    /// <param name="images">How many images.</param>
    /// <param name="share">What their loss counts in the step.</param>
    /// <param name="place">Where random numbers are drawn.</param>
    /// <returns>The mean loss of the images.</returns>
    public double AddGradients(StepLoss loss, int images, double share, long place)
    {
        _copies?.Refresh();
        CoreThreads.For(_buffers.Length, worker =>
        {
            BFloat16Copies.UseOnThisThread(_copies is not null);
            try
            {
                _sums[worker] = Gradients(worker, loss, images, share, place);
            }
            finally
            {
                BFloat16Copies.UseOnThisThread(false);   // who computes here next may do so with a model between two steps
            }
        });
        foreach (GradientBuffer buffer in _buffers) buffer.Deliver();   // in one order always: the sum is the same in every run
        return _sums.Sum();
    }

    private double Gradients(int worker, StepLoss loss, int images, double share, long place)
    {
        int workers = _buffers.Length, parts = CoreThreads.Parts(images, loss.RowsPerImage, workers);
        double sum = 0;
        for (int part = worker * parts / workers; part < (worker + 1) * parts / workers; part++)
        {
            int from = CoreThreads.Begin(images, part, parts), to = CoreThreads.Begin(images, part + 1, parts);
            using DisposeScope scope = NewDisposeScope();
            if (_noise is not null) _noise.Generator = _random[worker].At(RandomUse.Model, RandomStream.Mix(place, part));
            Tensor partLoss = loss.OfPart!(from, to);
            double partShare = (double)(to - from) / images;
            sum += partLoss.ToDouble() * partShare;
            _buffers[worker].Add(partLoss * (partShare * share));
        }
        if (_noise is not null) _noise.Generator = null;
        return sum;
    }

    public void Dispose()
    {
        foreach (GradientBuffer buffer in _buffers) buffer.Dispose();
        foreach (RandomStream random in _random) random.Dispose();
        _copies?.Dispose();
    }
}
