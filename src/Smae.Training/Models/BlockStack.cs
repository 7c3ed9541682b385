using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What encoder and decoder share beyond their blocks.</summary>
internal static class BlockStack
{
    public static ModuleList<Block> Create(TransformerConfig config, ForwardNoise noise) =>
        new([.. Enumerable.Range(0, config.Depth).Select(_ => new Block(config, noise))]);

    /// <summary>A fixed table as a buffer, or a parameter to be learned; <c>[1, tokens, dim]</c>.</summary>
    public static Tensor Positions(TransformerConfig config, int gridHeight, int gridWidth, bool classTokenFirst) =>
        config.Positions == PositionEncoding.Learned
            ? new Parameter(zeros(1, gridHeight * gridWidth + (classTokenFirst ? 1 : 0), config.EmbedDim))
            : PositionTable.Create(config.Positions, gridHeight, gridWidth, config.EmbedDim, classTokenFirst);

    public static ScalarType ToScalarType(this Precision precision) => precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>A model lives until it is disposed, whatever dispose scope it happens to be made in.</summary>
    public static void DetachFromDisposeScopes(this nn.Module module)
    {
        foreach (Parameter parameter in module.parameters()) parameter.DetachFromDisposeScope();
        foreach (Tensor buffer in module.buffers()) buffer.DetachFromDisposeScope();
    }
}
