using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML.Transforms;

/// <summary>The values of a column, numbered from 1.</summary>
internal abstract class TermMap(PrimitiveDataViewType itemType)
{
    public PrimitiveDataViewType ItemType { get; } = itemType;

    public abstract int Count { get; }

    public KeyDataViewType OutputType => new(typeof(uint), Math.Max(1, Count));

    public static TermMap Load(ModelLoadContext ctx)
    {
        var itemType = (PrimitiveDataViewType)TypeFile.Read(ctx.Reader);
        return Generic.Invoke<TermMap>(Read<int>, itemType.RawType, ctx, itemType);
    }

    public abstract void Save(ModelSaveContext ctx);

    /// <summary>The getter of a column's keys.</summary>
    public abstract Delegate CreateGetter(DataViewRow row, int col);

    /// <summary>Adds the values as the annotation of the key's values.</summary>
    public abstract void AddKeyValues(DataViewSchema.Annotations.Builder annotations, DataViewSchema.Column source, bool asText);

    private static TermMap<T> Read<T>(ModelLoadContext ctx, PrimitiveDataViewType itemType) =>
        new(itemType, [.. ValueFile.ReadItems<T>(ctx.Reader).DenseValues()]);
}
