using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports a classifier: images to probabilities and logits.</summary>
internal sealed class ClassifierExport : ModelExport
{
    private const double BatchNormEpsilon = 1e-6;   // facebookresearch/mae's for a linear probe; the proof holds it to the model's
    private readonly VisionTransformerClassifier _reference;
    private readonly IReadOnlyList<string>? _names;

    public ClassifierExport(ImageClassifier classifier, OnnxExportOptions options)
        : base(OnnxModelKind.Classifier, classifier.Preprocessing, options, ClassOutputs.Faults(options), classifier.Model.Weights)
    {
        VisionTransformerClassifier model = classifier.Model;
        _names = classifier.ClassNames;
        var reference = new VisionTransformerClassifier(model.Config, model.Classes, model.Pooling, model.HasBatchNorm);
        _reference = AsReference(reference, reference.Weights);
    }

    public override Tensor[] Reference(Tensor images, bool[] hidden) => ClassOutputs.Of(_reference.forward(images));

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        VisionTransformerConfig config = _reference.Config;
        (EncoderGraph encoder, string tokens) = WriteTokens(graph, products, config);
        string x = encoder.WritePooled(tokens, _reference.Pooling);
        if (_reference.Pooling == Pooling.Mean) x = encoder.WriteLayerNorm(x, "fc_norm");
        using GraphBuilder.Scope scope = graph.In("head");
        if (_reference.HasBatchNorm) x = BatchNorm(graph, x, config.EmbedDim);
        string logits = products.ToFloat(products.LinearFully(products.ToCompute(x), _reference.HasBatchNorm ? "head.1" : "head"));
        return ClassOutputs.Write(graph, logits, _reference.Classes, Options);
    }

    protected override IEnumerable<(string Key, string Value)> Details() =>
        [.. MetadataKeys.Of(_reference.Config), (MetadataKeys.Pooling, $"{_reference.Pooling}"), .. MetadataKeys.Of(_names)];

    /// <summary>Batch normalisation as it is outside of training: by the mean and variance that were kept.</summary>
    private string BatchNorm(GraphBuilder graph, string x, int dim)
    {
        string Constant(float value) => graph.Floats($"head.0.{value:0}", [.. Enumerable.Repeat(value, dim)], dim);
        string Kept(string name) => graph.Floats(name, Weights[name], dim);
        return graph.Node(
            "BatchNormalization", [x, Constant(1), Constant(0), Kept("head.0.running_mean"), Kept("head.0.running_var")],
            ("epsilon", BatchNormEpsilon));
    }
}

/// <summary>What the files of all classifiers give: probabilities and logits.</summary>
internal static class ClassOutputs
{
    private const string Logits = "logits";

    public static Tensor[] Of(Tensor logits) => [logits.softmax(-1), logits];

    /// <param name="logits"><c>[batch, classes]</c>, float32.</param>
    public static GraphOutput[] Write(GraphBuilder graph, string logits, int classes, OnnxExportOptions options)
    {
        string probabilities = graph.Node("Softmax", [logits], ("axis", -1L));
        return
        [
            new(options.OutputName ?? "probabilities", probabilities, [classes], "Probabilities of the classes: [batch, classes]."),
            new(Logits, logits, [classes], "What the probabilities are the softmax of: [batch, classes]."),
        ];
    }

    public static IEnumerable<string> Faults(OnnxExportOptions options)
    {
        if (options.OutputName == Logits) yield return $"OutputName is '{Logits}': that is the name of the other output.";
        if (options.InputName == Logits) yield return $"InputName is '{Logits}': that is the name of an output.";
    }
}
