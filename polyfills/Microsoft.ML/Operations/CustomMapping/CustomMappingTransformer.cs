using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Adds the columns that a user's code makes of each row.</summary>
public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
    where TSrc : class, new()
    where TDst : class, new()
{
    private readonly IHost _host;
    private readonly Action<TSrc, TDst> _mapAction;
    private readonly string _contractName;

    internal CustomMappingTransformer(
        IHostEnvironment env, Action<TSrc, TDst> mapAction, string contractName,
        SchemaDefinition inputSchemaDefinition = null, SchemaDefinition outputSchemaDefinition = null)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(CustomMappingTransformer<TSrc, TDst>));
        _host.CheckValue(mapAction, nameof(mapAction));
        _mapAction = mapAction;
        _contractName = contractName;
        InputSchemaDefinition = inputSchemaDefinition;
        AddedColumns = outputSchemaDefinition == null
            ? MemberColumn.Create(typeof(TDst), SchemaDefinition.Direction.Write)
            : MemberColumn.Create(typeof(TDst), outputSchemaDefinition);
    }

    bool ITransformer.IsRowToRowMapper => true;

    internal MemberColumn[] AddedColumns { get; }

    internal SchemaDefinition InputSchemaDefinition { get; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, MakeRowMapper(inputSchema));
    }

    public IDataView Transform(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new RowToRowMapperTransform(_host, input, MakeRowMapper(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return new RowToRowMapperTransform(_host, new EmptyDataView(_host, inputSchema), MakeRowMapper(inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        if (_contractName == null)
            throw _host.Except("A custom mapping without a contract name cannot be saved");
        CustomMappingLoader.Save(ctx, _contractName, _mapAction.Method.DeclaringType.Assembly.FullName);
    }

    private CustomMapper<TSrc, TDst> MakeRowMapper(DataViewSchema schema) =>
        new(_host.Register("Mapper"), schema, _mapAction, AddedColumns, InputSchemaDefinition);
}
