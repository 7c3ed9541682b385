using TorchSharp;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>Parameters that are optimised alike.</summary>
/// <param name="Parameters">The parameters, float32, all on one device.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
/// <param name="LearningRateScale">What the learning rate is multiplied by. Default 1.</param>
/// <param name="FrozenSteps">Steps at the start that pass this group by: for it the first step is the one after them. Default 0.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double LearningRateScale = 1, long FrozenSteps = 0)
{
    /// <summary>Two groups: tensors of two and more dimensions decay, biases and normalisation layers do not (facebookresearch/mae).</summary>
    /// <param name="module">Whose parameters; those that need no gradient are left out.</param>
    /// <param name="weightDecay">Weight decay of the first group.</param>
    public static IReadOnlyList<ParameterGroup> Of(torch.nn.Module module, double weightDecay) => Of(module.parameters(), weightDecay);

    /// <summary>The same two groups of any parameters.</summary>
    internal static IReadOnlyList<ParameterGroup> Of(IEnumerable<Parameter> parameters, double weightDecay)
    {
        ILookup<bool, Parameter> byDecay = parameters.Where(p => p.requires_grad).ToLookup(p => p.dim() > 1);
        return [new([.. byDecay[true]], weightDecay), new([.. byDecay[false]], 0)];
    }
}
