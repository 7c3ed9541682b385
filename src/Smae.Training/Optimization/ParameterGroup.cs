using System.Globalization;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>Parameters that are optimised alike.</summary>
/// <param name="Parameters">The parameters, float32, all on one device.</param>
/// <param name="LearningRateScale">What the learning rate is multiplied by. Default 1.</param>
/// <param name="FrozenSteps">Steps at the start that pass this group by: for it the first step is the one after them. Default 0.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double LearningRateScale = 1, long FrozenSteps = 0)
{
    /// <summary>Two groups: tensors of two and more dimensions decay, biases and normalisation layers do not (facebookresearch/mae).</summary>
    /// <param name="module">Whose parameters; those that need no gradient are left out.</param>
    public static IReadOnlyList<ParameterGroup> Of(nn.Module module, double weightDecay) => Of(module.parameters(), weightDecay);

    /// <summary>The same two groups of any parameters.</summary>
    internal static IReadOnlyList<ParameterGroup> Of(IEnumerable<Parameter> parameters, double weightDecay)
    {
        ILookup<bool, Parameter> byDecay = parameters.Where(p => p.requires_grad).ToLookup(p => p.dim() > 1);
        return [new([.. byDecay[true]], weightDecay), new([.. byDecay[false]], 0)];
    }
}

/// <summary>Parameter groups for fine-tuning, each layer with a learning rate of its own (facebookresearch/mae, <c>util/lr_decay.py</c>).</summary>
internal static class LayerDecay
{
    /// <summary>
    /// Tensors of two and more dimensions decay, except class token, registers and positions, as there. A group for each layer and decay, one only where rates are
    /// equal.
    /// </summary>
    /// <param name="layerDecay">From each layer to the one below; 1 gives all the same rate.</param>
    public static IReadOnlyList<ParameterGroup> Groups(VisionTransformerClassifier model, double weightDecay, double layerDecay)
    {
        int depth = model.Config.Depth;
        return [.. model.Weights
            .Where(w => w.Tensor is Parameter && w.Tensor.requires_grad)
            .GroupBy(w => (Rate: Math.Pow(layerDecay, depth + 1 - LayerOf(w.Name, depth)), Decay: Decays(w.Name, w.Tensor.dim()) ? weightDecay : 0))
            .Select(g => new ParameterGroup([.. g.Select(w => (Parameter)w.Tensor)], g.Key.Decay, g.Key.Rate))];
    }

    /// <summary>Class token, registers, positions and patch embedding are layer 0, block i is i + 1, the rest is depth + 1.</summary>
    /// <param name="name">A parameter's name, as timm has it.</param>
    public static int LayerOf(string name, int depth)
    {
        string[] parts = name.Split('.');
        return parts[0] switch
        {
            "cls_token" or "reg_token" or "pos_embed" or "patch_embed" => 0,
            "blocks" => int.Parse(parts[1], CultureInfo.InvariantCulture) + 1,
            _ => depth + 1,
        };
    }

    private static bool Decays(string name, long dimensions) => dimensions > 1 && name is not ("cls_token" or "reg_token" or "pos_embed");
}
