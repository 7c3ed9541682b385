using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Saves, loads and uses models.</summary>
public sealed class ModelOperationsCatalog : IInternalCatalog
{
    private readonly IHostEnvironment _env;

    internal ModelOperationsCatalog(IHostEnvironment env) => _env = env;

    IHostEnvironment IInternalCatalog.Environment => _env;

    public void Save(ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        _env.CheckValue(stream, nameof(stream));
        using var rep = new RepositoryWriter(stream, _env);
        ModelSaveContext.SaveModel(rep, model, ModelPath.TransformerDirectory);
        if (inputSchema == null)
            return;
        using IChannel ch = _env.Start("Saving Schema");
        SchemaFile.Save(ch, rep, inputSchema);
    }

    public void Save(ITransformer model, DataViewSchema inputSchema, string filePath)
    {
        _env.CheckNonEmpty(filePath, nameof(filePath));
        using FileStream stream = File.Create(filePath);
        Save(model, inputSchema, stream);
    }

    public ITransformer Load(Stream stream, out DataViewSchema inputSchema)
    {
        _env.CheckValue(stream, nameof(stream));
        using var rep = new RepositoryReader(stream, _env);
        inputSchema = SchemaFile.LoadOrNull(rep);
        if (inputSchema != null)
            return ModelLoadContext.LoadModel<ITransformer>(_env, rep, ModelPath.TransformerDirectory);
        return ModelLoadContext.LoadModelOrNull<ITransformer>(_env, rep, ModelPath.TransformerDirectory)
            ?? throw _env.Except("Could not load legacy format model");
    }

    public ITransformer Load(string filePath, out DataViewSchema inputSchema)
    {
        _env.CheckNonEmpty(filePath, nameof(filePath));
        using FileStream stream = File.OpenRead(filePath);
        return Load(stream, out inputSchema);
    }

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(
        ITransformer transformer, bool ignoreMissingColumns = true,
        SchemaDefinition inputSchemaDefinition = null, SchemaDefinition outputSchemaDefinition = null)
        where TSrc : class
        where TDst : class, new() =>
        Create<TSrc, TDst>(transformer, ignoreMissingColumns, inputSchemaDefinition, outputSchemaDefinition);

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, DataViewSchema inputSchema)
        where TSrc : class
        where TDst : class, new() =>
        Create<TSrc, TDst>(transformer, false, MemberColumn.DefinitionOf<TSrc>(_env, inputSchema));

    public PredictionEngine<TSrc, TDst> CreatePredictionEngine<TSrc, TDst>(ITransformer transformer, PredictionEngineOptions options)
        where TSrc : class
        where TDst : class, new() =>
        Create<TSrc, TDst>(
            transformer, options.IgnoreMissingColumns, options.InputSchemaDefinition, options.OutputSchemaDefinition, options.OwnsTransformer);

    private PredictionEngine<TSrc, TDst> Create<TSrc, TDst>(
        ITransformer transformer, bool ignoreMissingColumns, SchemaDefinition input = null, SchemaDefinition output = null, bool owns = true)
        where TSrc : class
        where TDst : class, new()
    {
        _env.CheckValue(transformer, nameof(transformer));
        return new PredictionEngine<TSrc, TDst>(_env, transformer, ignoreMissingColumns, input, output, owns);
    }
}
