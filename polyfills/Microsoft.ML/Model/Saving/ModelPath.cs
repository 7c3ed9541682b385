namespace Microsoft.ML;

/// <summary>Names within a model file.</summary>
internal static class ModelPath
{
    public const string ModelEntry = "Model.key";
    public const string SchemaEntry = "Schema";
    public const string TransformerDirectory = "TransformerChain";

    public static string Combine(string dir, string name) => string.IsNullOrEmpty(dir) ? name : $"{dir}/{name}";
}
