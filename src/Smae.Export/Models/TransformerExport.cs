using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>What exports of vision transformers have in common.</summary>
internal abstract class TransformerExport(
    IReadOnlyCollection<(string Name, Tensor Tensor)> tensors, VisionTransformerConfig config, ImagePreprocessing preprocessing,
    OnnxExportOptions options) : ModelExport(tensors, preprocessing, options)
{
    /// <summary>The shape of the encoder.</summary>
    protected VisionTransformerConfig Config => config;

    protected sealed override string Description =>
        "A vision transformer; weights bear timm's names, and those of linear layers are transposed: [inputs, outputs].";

    /// <summary>The input of images.</summary>
    protected PatchInput Input(GraphBuilder graph) => new(graph, config, Preprocessing, Options.Input);

    protected override IEnumerable<(string Key, string Value)> Details() =>
        [(MetadataKeys.PatchSize, $"{config.PatchSize}"), (MetadataKeys.EmbedDim, $"{config.EmbedDim}")];
}
