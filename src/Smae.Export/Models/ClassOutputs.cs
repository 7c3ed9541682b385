namespace Smae.Export;

/// <summary>What the files of all classifiers give: probabilities and logits, with the names of the classes.</summary>
internal static class ClassOutputs
{
    /// <summary>The name of the second output.</summary>
    public const string Logits = "logits";

    /// <summary>Writes the softmax.</summary>
    /// <param name="graph">Where to.</param>
    /// <param name="logits">The logits, <c>[batch, classes]</c>, float32.</param>
    /// <param name="classes">How many.</param>
    /// <param name="options">Have the name of the main output.</param>
    /// <returns>Probabilities and logits.</returns>
    public static GraphOutput[] Write(GraphBuilder graph, string logits, int classes, OnnxExportOptions options)
    {
        string probabilities = graph.Node("Softmax", [logits], ("axis", -1L));
        return
        [
            new GraphOutput(options.OutputName ?? "probabilities", probabilities, [classes], "Probabilities of the classes: [batch, classes]."),
            new GraphOutput(Logits, logits, [classes], "What the probabilities are the softmax of: [batch, classes]."),
        ];
    }

    /// <summary>The names of the classes as metadata; nothing where there are none.</summary>
    public static IEnumerable<(string Key, string Value)> Details(IReadOnlyList<string>? names) =>
        names is null ? [] : [(MetadataKeys.ClassNames, MetadataKeys.Names(names))];

    /// <summary>Names of the options that are taken.</summary>
    public static IEnumerable<string> Faults(OnnxExportOptions options)
    {
        if (options.OutputName == Logits) yield return $"OutputName is '{Logits}': that is the name of the other output.";
        if (options.InputName == Logits) yield return $"InputName is '{Logits}': that is the name of an output.";
    }
}
