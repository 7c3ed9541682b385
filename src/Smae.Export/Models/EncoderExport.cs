using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports an encoder: images to embeddings or tokens.</summary>
internal sealed class EncoderExport : ModelExport
{
    private readonly VisionTransformer _reference;
    private readonly Pooling? _pooling;   // null where tokens stay tokens

    public EncoderExport(ImageEncoder encoder, OnnxExportOptions options)
        : base(OnnxModelKind.Encoder, encoder.Preprocessing, options, Faults(encoder, options), ModelWeights.Of(encoder.Model))
    {
        _pooling = options.Output switch
        {
            OnnxOutput.Mean => Pooling.Mean,
            OnnxOutput.ClassToken => Pooling.ClassToken,
            OnnxOutput.Tokens => null,
            _ => encoder.Pooling,
        };
        var reference = new VisionTransformer(encoder.Model.Config);
        _reference = AsReference(reference, ModelWeights.Of(reference));
    }

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        Tensor tokens = _reference.forward(images);
        return [_pooling is { } pooling ? _reference.Pool(tokens, pooling) : tokens];
    }

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        VisionTransformerConfig config = _reference.Config;
        (EncoderGraph encoder, string tokens) = WriteTokens(graph, products, config);
        if (_pooling is not { } pooling)
            return [new(Options.OutputName ?? "tokens", tokens, [config.TokenCount, config.EmbedDim], "All tokens: [batch, tokens, dim].")];
        string embedding = encoder.WritePooled(tokens, pooling);
        return [new(Options.OutputName ?? "embedding", embedding, [config.EmbedDim], "Embeddings: [batch, dim].")];
    }

    protected override IEnumerable<(string Key, string Value)> Details() =>
    [
        .. MetadataKeys.Of(_reference.Config), (MetadataKeys.Output, $"{Options.Output}"),
        .. _pooling is { } pooling ? [(MetadataKeys.Pooling, $"{pooling}")] : Array.Empty<(string, string)>(),
    ];

    private static string[] Faults(ImageEncoder encoder, OnnxExportOptions options) =>
        options.Output == OnnxOutput.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None
            ? ["Output is ClassToken and the encoder has no class token: choose Mean."] : [];
}
