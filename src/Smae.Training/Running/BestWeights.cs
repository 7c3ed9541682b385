using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A copy of a model's tensors as they were when it did best.</summary>
internal sealed class BestWeights : IDisposable
{
    private readonly (string Name, Tensor Tensor)[] _weights;
    private readonly Tensor[] _copies;

    public BestWeights(IEnumerable<(string Name, Tensor Tensor)> weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        _weights = [.. weights];
        _copies = [.. _weights.Select(w => w.Tensor.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>The copies, as a checkpoint keeps them.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State => _weights.Zip(_copies, (w, copy) => ($"best.{w.Name}", copy));

    /// <summary>Copies the weights as they are now.</summary>
    public void Keep()
    {
        using var noGrad = no_grad();
        for (int i = 0; i < _copies.Length; i++) _copies[i].copy_(_weights[i].Tensor);
    }

    /// <summary>Gives the model the copies.</summary>
    public void Restore()
    {
        using var noGrad = no_grad();
        for (int i = 0; i < _copies.Length; i++) _weights[i].Tensor.copy_(_copies[i]);
    }

    public void Dispose()
    {
        foreach (Tensor copy in _copies) copy.Dispose();
    }
}
