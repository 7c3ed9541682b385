using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Linear layers with exact GELU between them, from one width to another; all weights are 0 until somebody draws them. The layers are numbered as
/// in a sequence that counts the GELUs too: <c>0</c>, <c>2</c>, <c>4</c>...
/// </summary>
internal sealed class ProjectionHead : nn.Module<Tensor, Tensor>
{
    private readonly Linear[] _layers;

    /// <param name="widths">Width of the input, of what is between, of the output: at least two.</param>
    public ProjectionHead(ReadOnlySpan<int> widths) : base(nameof(ProjectionHead))
    {
        using DisposeScope scope = NewDisposeScope();
        _layers = new Linear[widths.Length - 1];
        for (int i = 0; i < _layers.Length; i++) register_module($"{2 * i}", _layers[i] = new Linear(widths[i], widths[i + 1]));
        this.DetachFromDisposeScopes();
    }

    /// <summary>The layers.</summary>
    public IReadOnlyList<Linear> Layers => _layers;

    /// <param name="input"><c>[..., first width]</c>.</param>
    /// <returns><c>[..., last width]</c> of the input's type.</returns>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _layers[0].forward(input);
        foreach (Linear layer in _layers.AsSpan(1)) x = layer.forward(nn.functional.gelu(x));
        return x;
    }
}
