using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export;

/// <summary>Exports a classifier: images to probabilities and logits.</summary>
internal sealed class ClassifierExport : TransformerExport
{
    private readonly VisionTransformerClassifier _reference;
    private readonly IReadOnlyList<string>? _names;

    public ClassifierExport(ImageClassifier classifier, OnnxExportOptions options)
        : base([.. classifier.Model.Weights], classifier.Model.Config, classifier.Preprocessing, options)
    {
        VisionTransformerClassifier model = classifier.Model;
        _names = classifier.ClassNames;
        _reference = new VisionTransformerClassifier(Config, model.Classes, model.Pooling, model.HasBatchNorm);
        ReferenceWeights.Copy(Weights, _reference.Weights);
        _reference.eval();
    }

    public override OnnxModelKind Kind => OnnxModelKind.Classifier;

    public override Tensor[] Reference(Tensor images, bool[] hidden)
    {
        Tensor logits = _reference.forward(images);
        return [logits.softmax(-1), logits];
    }

    public override void Dispose() => _reference.Dispose();

    protected override GraphOutput[] Write(GraphBuilder graph, Products products)
    {
        var encoder = new EncoderGraph(graph, Weights, products, Config, Options.Flavor);
        string x = encoder.WritePooled(encoder.WriteTokens(Input(graph).WritePatches(Options.InputName)), _reference.Pooling);
        if (_reference.Pooling == Pooling.Mean) x = TransformerGraph.Create(graph, Weights, products, Config, Options.Flavor).LayerNorm(x, "fc_norm");
        using GraphBuilder.Scope scope = graph.In("head");
        if (_reference.HasBatchNorm) x = BatchNorm(graph, x);
        string logits = products.ToFloat(products.LinearFully(products.ToCompute(x), _reference.HasBatchNorm ? "head.1" : "head"));
        return ClassOutputs.Write(graph, logits, _reference.Classes, Options);
    }

    protected override IEnumerable<(string Key, string Value)> Details() =>
        [.. base.Details(), (MetadataKeys.Pooling, $"{_reference.Pooling}"), .. ClassOutputs.Details(_names)];

    protected override IEnumerable<string> Faults() => base.Faults().Concat(ClassOutputs.Faults(Options));

    /// <summary>Batch normalisation as it is outside of training: by the mean and variance that were kept.</summary>
    private string BatchNorm(GraphBuilder graph, string x)
    {
        int dim = Config.EmbedDim;
        string Constant(float value) => graph.Floats($"head.0.{value:0}", [.. Enumerable.Repeat(value, dim)], dim);
        string Kept(string name) => graph.Floats(name, Weights[name], dim);
        return graph.Node(
            "BatchNormalization", [x, Constant(1), Constant(0), Kept("head.0.running_mean"), Kept("head.0.running_var")],
            ("epsilon", ClassifierHead.BatchNormEpsilon));
    }
}
