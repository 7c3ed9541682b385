using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer each of whose columns comes from one input column.</summary>
public abstract partial class OneToOneTransformerBase : RowToRowTransformerBase
{
    internal readonly (string outputColumnName, string inputColumnName)[] ColumnPairs;

    private protected OneToOneTransformerBase(IHost host, params (string outputColumnName, string inputColumnName)[] columns)
        : base(host)
    {
        host.CheckValue(columns, nameof(columns));
        var names = new HashSet<string>();
        foreach ((string output, string input) in columns)
        {
            host.CheckNonEmpty(input, nameof(columns));
            host.CheckNonEmpty(output, nameof(columns));
            if (!names.Add(output))
                throw Contracts.ExceptParam(nameof(columns), $"Name of the result column '{output}' specified multiple times");
        }

        ColumnPairs = columns;
    }

    private protected OneToOneTransformerBase(IHost host, ModelLoadContext ctx)
        : base(host)
    {
        ColumnPairs = new (string, string)[ctx.Reader.ReadInt32()];
        for (int i = 0; i < ColumnPairs.Length; i++)
            ColumnPairs[i] = (ctx.LoadString(), ctx.LoadString());
    }

    private protected void SaveColumns(ModelSaveContext ctx)
    {
        ctx.Writer.Write(ColumnPairs.Length);
        foreach ((string output, string input) in ColumnPairs)
        {
            ctx.SaveString(output);
            ctx.SaveString(input);
        }
    }

    /// <summary>Throws where the input column will not do.</summary>
    private protected virtual void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
    }

    private int FindInput(DataViewSchema inputSchema, int col)
    {
        if (!inputSchema.TryGetColumnIndex(ColumnPairs[col].inputColumnName, out int source))
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName);
        CheckInputColumn(inputSchema, col, source);
        return source;
    }
}
