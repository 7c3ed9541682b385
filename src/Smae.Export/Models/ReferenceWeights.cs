using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Gives the model that a graph is compared with the weights that were exported.</summary>
internal static class ReferenceWeights
{
    /// <summary>Copies all weights.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="tensors">Names and tensors of the model.</param>
    public static void Copy(WeightTable weights, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach ((string name, Tensor target) in tensors) target.copy_(tensor(weights[name], target.shape));
    }
}
