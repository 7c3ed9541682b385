using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports an encoder: images to embeddings or tokens.</summary>
internal sealed class EncoderExport : TransformerExport
{
    private readonly VisionTransformer _reference;
    private readonly Pooling _pooling;

    public EncoderExport(ImageEncoder encoder, OnnxExportOptions options)
        : base([.. ModelWeights.Of(encoder.Model)], encoder.Model.Config, encoder.Preprocessing, options)
    {
        _pooling = options.Output switch { OnnxOutput.Mean => Pooling.Mean, OnnxOutput.ClassToken => Pooling.ClassToken, _ => encoder.Pooling };
        _reference = new VisionTransformer(Config);
        ReferenceWeights.Copy(Weights, ModelWeights.Of(_reference));
        _reference.eval();
    }

    public override OnnxModelKind Kind => OnnxModelKind.Encoder;

    private bool IsPooled => Options.Output != OnnxOutput.Tokens;

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        Tensor tokens = _reference.forward(images);
        return [IsPooled ? _reference.Pool(tokens, _pooling) : tokens];
    }

    public override void Dispose() => _reference.Dispose();

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        var encoder = new EncoderGraph(graph, Weights, products, Config, Options.Flavor);
        string tokens = encoder.WriteTokens(Input(graph).WritePatches(Options.InputName));
        if (!IsPooled)
        {
            long[] shape = [encoder.TokenCount, Config.EmbedDim];
            return [new GraphOutput(Options.OutputName ?? "tokens", tokens, shape, "All tokens: [batch, tokens, dim].")];
        }
        string embedding = encoder.WritePooled(tokens, _pooling);
        return [new GraphOutput(Options.OutputName ?? "embedding", embedding, [Config.EmbedDim], "Embeddings: [batch, dim].")];
    }

    protected override IEnumerable<(string Key, string Value)> Details() =>
    [
        .. base.Details(), (MetadataKeys.Output, $"{Options.Output}"),
        .. IsPooled ? [(MetadataKeys.Pooling, $"{_pooling}")] : Array.Empty<(string, string)>(),
    ];

    protected override IEnumerable<string> Faults()
    {
        if (Options.Output == OnnxOutput.ClassToken && Config.ClassToken == ClassToken.None)
            yield return "Output is ClassToken and the encoder has no class token: choose Mean.";
    }
}
