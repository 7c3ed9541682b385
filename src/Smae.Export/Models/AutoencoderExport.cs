using Smae.Training;
using static TorchSharp.torch;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Exports a whole masked autoencoder: images and masks to reconstructions.</summary>
internal sealed class AutoencoderExport : ModelExport
{
    private readonly MaskedAutoencoder _reference;
    private readonly Objective _objective;

    public AutoencoderExport(MaskedAutoencoder model, MaePretrainOptions pretraining, OnnxExportOptions options)
        : base(OnnxModelKind.Autoencoder, pretraining.Preprocessing, options, Faults(model, pretraining, options), ModelWeights.Of(model))
    {
        _objective = pretraining.Objective;
        var reference = new MaskedAutoencoder(model.Config, model.DecoderConfig, target: model.Target);
        _reference = AsReference(reference, ModelWeights.Of(reference));
    }

    public override int MaskedPatches => _reference.Config.PatchCount;

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        VisionTransformerConfig config = _reference.Config;
        Reconstruction reconstruction = _reference.forward(images, PatchMask.FromFlags(hidden, config.PatchCount));
        Tensor pictures = Patches.ToImages(_objective.ToPixels(reconstruction), config);
        if (Options.Input == OnnxInput.NormalizedPlanes) return [pictures];
        Tensor PerChannel(IReadOnlyList<float> numbers) => tensor(numbers.Select(n => n * 255f).ToArray(), [1, config.Channels, 1, 1]);
        pictures = (pictures * PerChannel(Preprocessing.StandardDeviation)).Plus(PerChannel(Preprocessing.Mean));
        return [Options.Input == OnnxInput.Bytes ? pictures.permute(0, 2, 3, 1) : pictures];
    }

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        VisionTransformerConfig config = _reference.Config;
        var input = new ImageInput(graph, Preprocessing, Options.Input);
        string patches = input.WritePatches(Options.InputName, config);
        const string doc = "1 where a patch is hidden, 0 where it is visible, row by row: [batch, patches].";
        string mask = graph.Input(MaskName, DataType.Uint8, [config.PatchCount], doc);
        string prediction = _reference.Target == DecoderTarget.LinearPixels
            ? WriteLinear(graph, products, patches, mask) : WriteDecoded(graph, products, patches, mask);
        using GraphBuilder.Scope scope = graph.In("output");
        if (_objective.PixelTarget is { NormalizePatches: true } target) prediction = Denormalize(graph, prediction, patches, target.Epsilon);
        const string what = "The prediction of every patch, visible or not, as an image of the input's layout and scale.";
        return [new(Options.OutputName ?? "reconstruction", input.WriteImages(prediction, config), input.Shape, what)];
    }

    protected override IEnumerable<(string Key, string Value)> Details() => MetadataKeys.Of(_reference.Config);

    /// <summary>Encodes the visible patches and decodes all.</summary>
    private string WriteDecoded(GraphBuilder graph, Products products, string patches, string mask)
    {
        var encoder = new EncoderGraph(graph, Weights, products, _reference.Config, Options.Flavor);
        var decoder = new DecoderGraph(graph, Weights, products, _reference.DecoderConfig, _reference.Config, Options.Flavor);
        (string visible, string keyMask) = decoder.WriteMask(mask);
        string latent = encoder.WriteVisibleTokens(patches, visible, keyMask);
        if (!decoder.KeepsClassToken) latent = encoder.WritePatchTokens(latent);
        else if (_reference.Config.RegisterTokens > 0)
            latent = graph.Node("Concat", [graph.Slice(latent, 0, 1, axis: 1), encoder.WritePatchTokens(latent)], ("axis", 1L));
        return decoder.WritePrediction(latent);
    }

    /// <summary>Encodes all patches, hidden ones as mask tokens, and predicts by the one linear layer (SimMIM).</summary>
    private string WriteLinear(GraphBuilder graph, Products products, string patches, string mask)
    {
        var encoder = new EncoderGraph(graph, Weights, products, _reference.Config, Options.Flavor);
        string tokens = encoder.WritePatchTokens(encoder.WriteTokens(patches, hidden: graph.Cast(mask, DataType.Bool)));
        using GraphBuilder.Scope scope = graph.In("decoder_pred");
        return products.ToFloat(products.LinearFully(products.ToCompute(tokens), "decoder_pred"));
    }

    /// <summary>Gives normalised patches the mean and deviation (unbiased) of the true ones back: <see cref="PixelObjective.ToPixels"/>.</summary>
    private string Denormalize(GraphBuilder graph, string prediction, string patches, double epsilon)
    {
        double count = _reference.Config.PatchDim;
        string Mean(string x) => graph.Node("ReduceMean", [x], ("axes", new[] { -1L }), ("keepdims", 1L));
        string mean = Mean(patches), centred = graph.Node("Sub", [patches, mean]);
        string variance = graph.Node("Mul", [Mean(graph.Node("Mul", [centred, centred])), graph.Scalar(count / (count - 1))]);
        string deviation = graph.Node("Sqrt", [graph.Node("Add", [variance, graph.Scalar(epsilon)])]);
        return graph.Node("Add", [graph.Node("Mul", [prediction, deviation]), mean]);
    }

    private static IEnumerable<string> Faults(MaskedAutoencoder model, MaePretrainOptions pretraining, OnnxExportOptions options)
    {
        if (model.PictureFault is { } unfit) yield return unfit;
        // What a method of somebody else's computes cannot be read off it. Where a target is named the proof tells whether it is the right one.
        Objective objective = pretraining.Objective;
        Type maker = objective.GetType().GetMethod(nameof(Objective.ToPixels))!.DeclaringType!;
        if (objective.PixelTarget is null && maker != typeof(Objective))
            yield return $"{maker.Name}.{nameof(Objective.ToPixels)} makes pixels of predictions, and an ONNX file would lack that step. Override "
                + $"{nameof(Objective.PixelTarget)} too if it is the step of a {nameof(PixelObjective)}; or set Objective to "
                + "Objective.Pixel(normalizePatches: false) to export bare predictions, and do the step where the file is run.";
        if (options.InputName == MaskName) yield return $"InputName is '{MaskName}': that is the name of the other input.";
        if (options.OutputName == MaskName) yield return $"OutputName is '{MaskName}': that is the name of an input.";
        (VisionTransformerConfig c, ImagePreprocessing p) = (model.Config, pretraining.Preprocessing);
        (string given, string expected) = ($"{p.Height}x{p.Width}x{p.Channels}", $"{c.ImageHeight}x{c.ImageWidth}x{c.Channels}");
        if (given != expected) yield return $"The pretraining options are for {given}: the autoencoder expects {expected}.";
    }
}

/// <summary>Writes the decoder of a masked autoencoder and the bookkeeping of its mask. Every image may hide as many patches as it likes.</summary>
internal sealed class DecoderGraph(
    GraphBuilder graph, WeightTable weights, Products products, DecoderConfig config, VisionTransformerConfig encoder, OnnxFlavor flavor)
{
    private string _hidden = "", _visible = "";

    public bool KeepsClassToken => config.KeepClassToken && encoder.ClassToken == ClassToken.First;

    /// <summary>
    /// Reads a mask. The encoder runs on as many places as the image with most visible patches has; images with fewer fill theirs with hidden patches
    /// that no token looks at.
    /// </summary>
    /// <returns>
    /// Patches for the encoder, visible ones first and in order, <c>[batch, places]</c>, int64; and what is added to the scores of keys,
    /// <c>[batch, 1, 1, tokens]</c>, in the type of the products.
    /// </returns>
    public (string Visible, string KeyMask) WriteMask(string mask)
    {
        using GraphBuilder.Scope scope = graph.In("mask");
        _hidden = graph.Cast(mask, DataType.Bool);
        _visible = graph.Cast(graph.Node("Not", [_hidden]), DataType.Float);
        // A number of its own for each patch, larger for visible ones: sorting has no ties to break.
        int patches = encoder.PatchCount;
        string order = graph.Initializer("mask.order", DataType.Float, () => Enumerable.Range(0, patches).Select(i => (float)-i).ToArray(), patches);
        string keys = graph.Node("Add", [graph.Node("Mul", [_visible, graph.Scalar(patches)]), order]);
        string counts = graph.Node("ReduceSum", [_visible, graph.Integers(1)], ("keepdims", 1L));
        string most = graph.Node("Max", [graph.Node("ReduceMax", [counts], ("keepdims", 0L)), graph.Scalar(1)]);
        string places = graph.Reshape(graph.Cast(most, DataType.Int64), 1);
        string picked = graph.Nodes("TopK", [keys, places], 2, ("axis", 1L), ("largest", 1L), ("sorted", 1L))[1];

        string seen = graph.Node("GatherElements", [_visible, picked], ("axis", 1L));
        string keyMask = graph.Node("Mul", [graph.Node("Sub", [seen, graph.Scalar(1)]), graph.Scalar(10000)]);
        if (encoder.PrefixTokens > 0) keyMask = graph.Node("Pad", [keyMask, graph.Integers(0, encoder.PrefixTokens, 0, 0)]);
        if (encoder.ClassToken == ClassToken.Last) keyMask = graph.Node("Pad", [keyMask, graph.Integers(0, 0, 0, 1)]);
        return (picked, products.ToCompute(graph.Node("Unsqueeze", [keyMask, graph.Integers(1, 2)])));
    }

    /// <summary>Predicts every patch, <c>[batch, patches, patch * patch * channels]</c>, float32.</summary>
    /// <param name="latent">The encoded visible patches, <c>[batch, places, dim]</c>, with the class token if the decoder keeps it.</param>
    public string WritePrediction(string latent)
    {
        string tokens = InPlace(latent);
        var blocks = new TransformerGraph(graph, weights, products, config, flavor);
        tokens = blocks.Write(tokens, "decoder_blocks", config.FinalNorm ? "decoder_norm" : null);
        using GraphBuilder.Scope scope = graph.In("decoder_pred");
        if (KeepsClassToken) tokens = graph.Slice(tokens, 1, int.MaxValue, axis: 1);
        return products.ToFloat(products.LinearFully(products.ToCompute(tokens), "decoder_pred"));
    }

    /// <summary>The decoder's tokens, each in its place: encoded patches where they were visible, the mask token elsewhere.</summary>
    private string InPlace(string latent)
    {
        using GraphBuilder.Scope scope = graph.In("decoder_embed");
        string x = products.ToFloat(products.LinearFully(products.ToCompute(latent), "decoder_embed")), token = "";
        if (KeepsClassToken) (token, x) = (graph.Slice(x, 0, 1, axis: 1), graph.Slice(x, 1, int.MaxValue, axis: 1));
        // A visible patch stands behind those before it.
        string rank = graph.Node("Sub", [graph.Node("CumSum", [_visible, graph.Integer(1)]), graph.Scalar(1)]);
        rank = graph.Cast(graph.Node("Max", [rank, graph.Scalar(0)]), DataType.Int64);
        x = graph.Node("GatherND", [x, graph.Node("Unsqueeze", [rank, graph.Integers(-1)])], ("batch_dims", 1L));
        string maskToken = graph.Floats("mask_token", weights["mask_token"], 1, 1, config.EmbedDim);
        x = graph.Node("Where", [graph.Node("Unsqueeze", [_hidden, graph.Integers(-1)]), maskToken, x]);
        if (KeepsClassToken) x = graph.Node("Concat", [token, x], ("axis", 1L));
        return graph.Node("Add", [x, graph.Floats("decoder_pos_embed", weights["decoder_pos_embed"], weights.Shape("decoder_pos_embed"))]);
    }
}
