using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports a whole masked autoencoder: images and masks to reconstructions.</summary>
internal sealed class AutoencoderExport : TransformerExport
{
    private const string Mask = "mask";
    private readonly MaskedAutoencoder _reference;
    private readonly PixelObjective _pixels;

    public AutoencoderExport(MaskedAutoencoder model, MaePretrainOptions pretraining, OnnxExportOptions options)
        : base([.. ModelWeights.Of(model)], model.Config, pretraining.Preprocessing, options)
    {
        _pixels = pretraining.Objective.PixelTarget ?? new PixelObjective(NormalizePatches: false, HiddenOnly: false);
        _reference = new MaskedAutoencoder(Config, model.DecoderConfig);
        ReferenceWeights.Copy(Weights, ModelWeights.Of(_reference));
        _reference.eval();
    }

    public override OnnxModelKind Kind => OnnxModelKind.Autoencoder;

    public override string MaskName => Mask;

    public override int MaskedPatches => Config.PatchCount;

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        Reconstruction reconstruction = _reference.forward(images, PatchMask.FromFlags(hidden, Config.PatchCount));
        Tensor pictures = Patches.ToImages(_pixels.ToPixels(reconstruction), Config);
        if (Options.Input == OnnxInput.NormalizedPlanes) return [pictures];
        Tensor PerChannel(IReadOnlyList<float> numbers) => tensor(numbers.Select(n => n * 255f).ToArray(), [1, Config.Channels, 1, 1]);
        pictures = pictures * PerChannel(Preprocessing.StandardDeviation) + PerChannel(Preprocessing.Mean);
        return [Options.Input == OnnxInput.Bytes ? pictures.permute(0, 2, 3, 1) : pictures];
    }

    public override void Dispose() => _reference.Dispose();

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        PatchInput input = Input(graph);
        string patches = input.WritePatches(Options.InputName);
        const string doc = "1 where a patch is hidden, 0 where it is visible, row by row: [batch, patches].";
        string mask = graph.Input(Mask, DataType.Uint8, [Config.PatchCount], doc);
        DecoderConfig config = _reference.DecoderConfig;
        var encoder = new EncoderGraph(graph, Weights, products, Config, Options.Flavor);
        var decoder = new DecoderGraph(graph, Weights, products, config, Config, Options.Flavor);
        (string visible, string keyMask) = decoder.WriteMask(mask);
        string latent = encoder.WriteVisibleTokens(patches, visible, keyMask);
        if (!MaskedDecoder.KeepsClassToken(config, Config)) latent = encoder.WriteWithoutClassToken(latent);
        string prediction = decoder.WritePrediction(latent);
        using GraphBuilder.Scope scope = graph.In("output");
        if (_pixels.NormalizePatches) prediction = Denormalize(graph, prediction, patches);
        return
        [
            new GraphOutput(
                Options.OutputName ?? "reconstruction", input.WriteImages(prediction), input.Shape,
                "The prediction of every patch, visible or not, as an image of the input's layout and scale."),
        ];
    }

    protected override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (Options.InputName == Mask) yield return $"InputName is '{Mask}': that is the name of the other input.";
        if (Options.OutputName == Mask) yield return $"OutputName is '{Mask}': that is the name of an input.";
        if ((Config.ImageHeight, Config.ImageWidth, Config.Channels) != (Preprocessing.Height, Preprocessing.Width, Preprocessing.Channels))
            yield return $"The pretraining options are for {Preprocessing.Height}x{Preprocessing.Width}x{Preprocessing.Channels}: "
                + $"the autoencoder expects {Config.ImageHeight}x{Config.ImageWidth}x{Config.Channels}.";
    }

    /// <summary>Gives normalised patches the mean and deviation (unbiased) of the true ones back.</summary>
    private string Denormalize(GraphBuilder graph, string prediction, string patches)
    {
        double count = Config.PatchDim;
        string Mean(string x) => graph.Node("ReduceMean", [x], ("axes", new[] { -1L }), ("keepdims", 1L));
        string mean = Mean(patches), centred = graph.Node("Sub", [patches, mean]);
        string variance = graph.Node("Mul", [Mean(graph.Node("Mul", [centred, centred])), graph.Scalar(count / (count - 1))]);
        string deviation = graph.Node("Sqrt", [graph.Node("Add", [variance, graph.Scalar(_pixels.Epsilon)])]);
        return graph.Node("Add", [graph.Node("Mul", [prediction, deviation]), mean]);
    }
}
