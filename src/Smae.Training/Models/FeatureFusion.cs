using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Multi-level feature fusion (Liu et al. 2023, MFF): the residual streams after some blocks, all but the last through a linear layer of their own,
/// added up with weights that are a softmax of learned numbers. Names below <c>fusion.</c> and shapes are those of mmpretrain's <c>MFFViT</c>:
/// <c>proj_layers.N</c>, <c>proj_weights</c> <c>[blocks, 1, 1, 1]</c>.
/// </summary>
internal sealed class FeatureFusion : nn.Module<IReadOnlyList<Tensor>, ScalarType, Tensor>
{
    private readonly BlockList _blocks;
    [ComponentName(Name = "proj_layers")] private readonly ModuleList<Linear> _layers;
    [ComponentName(Name = "proj_weights")] private Parameter _weights;

    public FeatureFusion(BlockList blocks, int dim) : base(nameof(FeatureFusion))
    {
        _blocks = blocks;
        _layers = new ModuleList<Linear>([.. Enumerable.Range(0, blocks.Count - 1).Select(_ => new Linear(dim, dim))]);
        _weights = new Parameter(ones(blocks.Count, 1, 1, 1));
        RegisterComponents();
    }

    /// <summary>How much each block counts, adding up to 1: <c>[blocks]</c>.</summary>
    public Tensor Shares => _weights.softmax(0).flatten();

    /// <param name="streams">The residual stream after each block, <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="compute">The type that the products run in.</param>
    /// <returns><c>[batch, tokens, dim]</c>, float32.</returns>
    public override Tensor forward(IReadOnlyList<Tensor> streams, ScalarType compute)
    {
        Tensor[] shares = Shares.unbind(0);
        Tensor sum = streams[_blocks[^1]] * shares[^1];
        for (int i = 0; i < _layers.Count; i++) sum += _layers[i].forward(streams[_blocks[i]].to_type(compute)) * shares[i];
        return sum;
    }
}
