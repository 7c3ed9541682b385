using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Loads chains.</summary>
[LoadableModel(LoaderSignature)]
internal static class TransformerChain
{
    public const string LoaderSignature = "TransformerChain";

    public static string DirectoryOf(int index) => $"Transform_{index:000}";

    private static TransformerChain<ITransformer> Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        int count = ctx.Reader.ReadInt32();
        var transformers = new ITransformer[count];
        var scopes = new TransformerScope[count];
        for (int i = 0; i < count; i++)
        {
            scopes[i] = (TransformerScope)ctx.Reader.ReadInt32();
            transformers[i] = ctx.LoadModel<ITransformer>(env, DirectoryOf(i));
        }

        return new TransformerChain<ITransformer>(transformers, scopes);
    }
}
