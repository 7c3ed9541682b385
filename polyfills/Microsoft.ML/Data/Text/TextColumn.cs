using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A column bound to the fields of lines; a column of variable size takes all fields from its last range on.</summary>
internal sealed record TextColumn(string Name, DataViewType Type, int[] Fields, int? VariableFrom)
{
    public static TextColumn Bind(IHost host, TextLoader.Column column, int fieldCount)
    {
        host.CheckUserArg(column.Source is { Length: > 0 }, nameof(TextLoader.Column.Source), "Must name some fields");
        host.CheckNonWhiteSpace(column.Name, nameof(column.Name));
        PrimitiveDataViewType itemType = column.DataKind.ToPrimitiveType();
        if (column.KeyCount != null)
            itemType = new KeyDataViewType(itemType.RawType, column.KeyCount.Count ?? itemType.RawType.ToMaxInt());

        var fields = new List<int>();
        int? variableFrom = null;
        foreach (TextLoader.Range range in column.Source)
        {
            if (range.AllOther)
                throw host.ExceptNotSupp("The stand-in for ML.NET does not know columns of all other fields.");
            if (range.VariableEnd)
            {
                variableFrom = range.Min;
                continue;
            }

            int max = range.Max ?? (range.AutoEnd ? fieldCount - 1 : range.Min);
            if (range.AutoEnd && range.Max == null && fieldCount == 0)
                throw host.ExceptUserArg(nameof(TextLoader.Column.Source), "How many fields there are takes a sample of the data to find out");
            fields.AddRange(Enumerable.Range(range.Min, Math.Max(0, max - range.Min + 1)));
        }

        if (fields.Distinct().Count() < fields.Count)
            throw host.ExceptUserArg(nameof(TextLoader.Column.Source), $"The fields of column '{column.Name}' overlap");
        DataViewType type = variableFrom != null ? new VectorDataViewType(itemType)
            : fields.Count > 1 || column.Source[0].ForceVector ? new VectorDataViewType(itemType, fields.Count)
            : itemType;
        return new TextColumn(column.Name.Trim(), type, [.. fields], variableFrom);
    }

    /// <summary>The column with the names of its slots, where a header gives them.</summary>
    public DataViewSchema.DetachedColumn Detached(string[] header)
    {
        if (header == null || !Type.IsKnownSizeVector() || !Fields.Any(f => f < header.Length && header[f].Trim().Length > 0))
            return new(Name, Type);
        ReadOnlyMemory<char>[] names = [.. Fields.Select(f => (f < header.Length ? header[f].Trim() : "").AsMemory())];
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddSlotNames(
            names.Length, (ref VBuffer<ReadOnlyMemory<char>> dst) => VBuffer<ReadOnlyMemory<char>>.Copy(names, 0, ref dst, names.Length));
        return new(Name, Type, annotations.ToAnnotations());
    }
}
