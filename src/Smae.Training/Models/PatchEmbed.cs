using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Projects patches to tokens (timm's <c>patch_embed</c>). The weight is stored as the convolution that timm and facebookresearch/mae keep,
/// <c>[dim, channels, patch, patch]</c>, and used as a linear layer: only the visible patches are ever projected.
/// </summary>
internal sealed class PatchEmbed : nn.Module<Tensor, ScalarType, Tensor>
{
    [ComponentName(Name = "proj")] private readonly Projection _projection;

    public PatchEmbed(VisionTransformerConfig config) : base(nameof(PatchEmbed))
    {
        _projection = new Projection(config);
        RegisterComponents();
    }

    public Parameter Weight => _projection.Weight;

    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>.</param>
    /// <param name="compute">The type that the product runs in.</param>
    /// <returns><c>[batch, patches, dim]</c> of that type.</returns>
    public override Tensor forward(Tensor patches, ScalarType compute) => _projection.forward(patches.to_type(compute));

    private sealed class Projection : nn.Module<Tensor, Tensor>
    {
        private readonly int _dim;
        [ComponentName(Name = "weight")] private Parameter _weight;
        [ComponentName(Name = "bias")] private Parameter _bias;

        public Projection(VisionTransformerConfig config) : base(nameof(Projection))
        {
            _dim = config.EmbedDim;
            _weight = new Parameter(zeros(config.EmbedDim, config.Channels, config.PatchSize, config.PatchSize));
            _bias = new Parameter(zeros(config.EmbedDim));
            RegisterComponents();
        }

        public Parameter Weight => _weight;

        public override Tensor forward(Tensor patches)
        {
            Tensor weight = _weight.permute(0, 2, 3, 1).reshape(_dim, -1);   // (channel, row, column) to the order of a patch
            return nn.functional.linear(patches, weight.to_type(patches.dtype), _bias.to_type(patches.dtype));
        }
    }
}
