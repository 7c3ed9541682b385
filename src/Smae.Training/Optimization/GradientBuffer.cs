using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Gradients of an optimiser's parameters that one thread makes while others make theirs.</summary>
internal sealed class GradientBuffer : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly Tensor? _own;
    private readonly Tensor[] _gradients;
    private readonly Tensor[] _inputs;
    private bool _empty = true;

    /// <param name="optimizer">Holds the parameters.</param>
    /// <param name="own">Whether the gradients wait in a buffer of their own until they are delivered; otherwise they go straight to the optimiser's.</param>
    /// <param name="copies">What is used in place of the parameters on the thread; null for the parameters themselves.</param>
    public GradientBuffer(Optimizer optimizer, bool own, BFloat16Copies? copies)
    {
        _optimizer = optimizer;
        _own = own ? optimizer.NewBuffer() : null;
        _inputs = [.. optimizer.Parameters, .. copies?.All ?? []];
        _gradients = [.. optimizer.PlacesIn(_own ?? optimizer.Gradients).Select(place => place.DetachFromDisposeScope())];
    }

    /// <summary>Adds the gradient of a loss.</summary>
    /// <param name="loss">A scalar with its graph, which is freed.</param>
    public void Add(Tensor loss)
    {
        // The parameters' own .grad would be written by all threads at once, in an order of chance.
        IList<Tensor> made = autograd.grad([loss], _inputs, allow_unused: true);
        using var noGrad = no_grad();
        if (_own is not null && _empty) _own.zero_();
        _empty = false;
        for (int i = 0; i < made.Count; i++)
            if (made[i] is { IsInvalid: false } gradient) _gradients[i % _gradients.Length].add_(gradient);
    }

    /// <summary>Adds what has waited to the optimiser's gradients.</summary>
    public void Deliver()
    {
        using var noGrad = no_grad();
        if (_own is not null && !_empty) _optimizer.Gradients.add_(_own);
        _empty = true;
    }

    public void Dispose()
    {
        foreach (Tensor gradient in _gradients) gradient.Dispose();
        _own?.Dispose();
    }
}
