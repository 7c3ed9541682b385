using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Parameters in bfloat16, made once in a step for all threads that train: else each casts all weights for each of its parts, and all gradients back.
/// A gradient with respect to such a copy is one of the parameter.
/// </summary>
internal sealed class BFloat16Copies : IDisposable
{
    private static readonly ConditionalWeakTable<Parameter, Tensor> s_copies = [];
    [ThreadStatic] private static bool t_used;
    private readonly Optimizer _optimizer;
    private readonly Tensor _flat;

    /// <param name="optimizer">Holds the parameters.</param>
    public BFloat16Copies(Optimizer optimizer)
    {
        _optimizer = optimizer;
        _flat = zeros(optimizer.Weights.numel(), ScalarType.BFloat16).DetachFromDisposeScope();
        All = [.. optimizer.PlacesIn(_flat).Select(place => place.detach().requires_grad_().DetachFromDisposeScope())];
        foreach ((Parameter parameter, Tensor copy) in optimizer.Parameters.Zip(All)) s_copies.AddOrUpdate(parameter, copy);
    }

    /// <summary>The copies, in the optimiser's order of parameters.</summary>
    public IReadOnlyList<Tensor> All { get; }

    /// <summary>Takes over what the parameters have become.</summary>
    public void Refresh()
    {
        using var noGrad = no_grad();
        _flat.copy_(_optimizer.Weights);
    }

    /// <summary>Whether this thread computes with copies where there are some; it must then ask for gradients with respect to them.</summary>
    public static void UseOnThisThread(bool use) => t_used = use;

    /// <summary>A parameter in a type: itself, its copy, or cast here and now.</summary>
    public static Tensor Of(Parameter parameter, ScalarType type) =>
        parameter.dtype == type ? parameter
        : t_used && type == ScalarType.BFloat16 && s_copies.TryGetValue(parameter, out Tensor? copy) ? copy
        : parameter.to_type(type);

    public void Dispose()
    {
        foreach (Parameter parameter in _optimizer.Parameters) s_copies.Remove(parameter);
        foreach (Tensor copy in All) copy.Dispose();
        _flat.Dispose();
    }
}
