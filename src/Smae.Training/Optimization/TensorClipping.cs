using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Gradient clipping tensor by tensor, as facebookresearch/dino does it.</summary>
internal static class TensorClipping
{
    private const double Epsilon = 1e-6;

    /// <summary>Scales the gradient of each parameter down if its own norm is larger than a limit.</summary>
    /// <param name="parameters">The parameters; those without a gradient are passed over.</param>
    /// <param name="maxNorm">The limit.</param>
    public static void Clip(IEnumerable<Parameter> parameters, double maxNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (Parameter parameter in parameters)
        {
            if (parameter.grad is not { } gradient) continue;
            gradient.mul_(gradient.norm().add_(Epsilon).reciprocal_().mul_(maxNorm).clamp_max_(1));   // all on the device: nothing waits for a number
        }
    }
}
