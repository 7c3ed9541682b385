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
        var encoder = new EncoderGraph(graph, Weights, products, config, Options.Flavor);
        string tokens = encoder.WriteTokens(new ImageInput(graph, Preprocessing, Options.Input).WritePatches(Options.InputName, config));
        if (_pooling is not { } pooling)
            return [new(Options.OutputName ?? "tokens", tokens, [encoder.TokenCount, config.EmbedDim], "All tokens: [batch, tokens, dim].")];
        string embedding = encoder.WritePooled(tokens, pooling);
        return [new(Options.OutputName ?? "embedding", embedding, [config.EmbedDim], "Embeddings: [batch, dim].")];
    }

    protected override IEnumerable<(string Key, string Value)> Details()
    {
        foreach ((string, string) entry in MetadataKeys.Of(_reference.Config)) yield return entry;
        yield return (MetadataKeys.Output, $"{Options.Output}");
        if (_pooling is { } pooling) yield return (MetadataKeys.Pooling, $"{pooling}");
    }

    private static IEnumerable<string> Faults(ImageEncoder encoder, OnnxExportOptions options)
    {
        if (options.Output == OnnxOutput.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None)
            yield return "Output is ClassToken and the encoder has no class token: choose Mean.";
    }
}
