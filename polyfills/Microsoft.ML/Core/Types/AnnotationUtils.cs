using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The names of ML.NET's annotations, and how to read and make them.</summary>
internal static class AnnotationUtils
{
    /// <summary>Kinds of annotation.</summary>
    public static class Kinds
    {
        public const string SlotNames = "SlotNames";
        public const string KeyValues = "KeyValues";
        public const string ScoreColumnSetId = "ScoreColumnSetId";
        public const string ScoreColumnKind = "ScoreColumnKind";
        public const string ScoreValueKind = "ScoreValueKind";
        public const string IsNormalized = "IsNormalized";
        public const string IsUserVisible = "IsUserVisible";
        public const string TrainingLabelValues = "TrainingLabelValues";
        public const string CategoricalSlotRanges = "CategoricalSlotRanges";
    }

    /// <summary>Values of annotations.</summary>
    public static class Const
    {
        public static class ScoreColumnKind
        {
            public const string BinaryClassification = "BinaryClassification";
            public const string MulticlassClassification = "MulticlassClassification";
            public const string Regression = "Regression";
        }

        public static class ScoreValueKind
        {
            public const string Score = "Score";
            public const string PredictedLabel = "PredictedLabel";
            public const string Probability = "Probability";
        }
    }

    public static KeyDataViewType ScoreColumnSetIdType { get; } = new(typeof(uint), int.MaxValue);

    public static VectorDataViewType GetNamesType(int size)
    {
        Contracts.CheckParam(size > 0, nameof(size), "must be known size");
        return new VectorDataViewType(TextDataViewType.Instance, size);
    }

    public static bool HasSlotNames(this DataViewSchema.Column column, int vectorSize) =>
        vectorSize > 0
        && column.Annotations.Schema.GetColumnOrNull(Kinds.SlotNames)?.Type is VectorDataViewType { ItemType: TextDataViewType } type
        && type.Size == vectorSize;

    public static bool HasSlotNames(this SchemaShape.Column column) =>
        column.Kind == SchemaShape.Column.VectorKind.Vector
        && column.Annotations.TryFindColumn(Kinds.SlotNames, out SchemaShape.Column names)
        && names.Kind == SchemaShape.Column.VectorKind.Vector && !names.IsKey && names.ItemType is TextDataViewType;

    public static bool HasKeyValues(this SchemaShape.Column column) =>
        column.Annotations.TryFindColumn(Kinds.KeyValues, out SchemaShape.Column values) && values.Kind == SchemaShape.Column.VectorKind.Vector;

    public static bool IsNormalized(this SchemaShape.Column column) =>
        column.Annotations.TryFindColumn(Kinds.IsNormalized, out SchemaShape.Column normalized)
        && normalized.Kind == SchemaShape.Column.VectorKind.Scalar && !normalized.IsKey && normalized.ItemType is BooleanDataViewType;

    public static void AddSlotNames(this DataViewSchema.Annotations.Builder builder, int size, ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter) =>
        builder.Add(Kinds.SlotNames, new VectorDataViewType(TextDataViewType.Instance, size), getter);

    public static void AddKeyValues<TValue>(
        this DataViewSchema.Annotations.Builder builder, int size, PrimitiveDataViewType valueType, ValueGetter<VBuffer<TValue>> getter) =>
        builder.Add(Kinds.KeyValues, new VectorDataViewType(valueType, size), getter);

    /// <summary>Adds a value of text.</summary>
    public static void AddText(this DataViewSchema.Annotations.Builder builder, string kind, string value) =>
        builder.AddPrimitiveValue(kind, TextDataViewType.Instance, value.AsMemory());

    /// <summary>The greatest set id among the score columns, 0 where there are none.</summary>
    public static uint GetMaxScoreColumnSetId(this DataViewSchema schema)
    {
        uint max = 0;
        foreach (DataViewSchema.Column column in schema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(Kinds.ScoreColumnSetId)?.Type is not KeyDataViewType key || key.RawType != typeof(uint))
                continue;
            uint id = 0;
            column.Annotations.GetValue(Kinds.ScoreColumnSetId, ref id);
            max = Math.Max(max, id);
        }

        return max;
    }

    /// <summary>The shapes of the annotations that trainers set on score columns.</summary>
    public static IEnumerable<SchemaShape.Column> GetTrainerOutputAnnotation(bool isNormalized = false)
    {
        yield return Scalar(Kinds.ScoreColumnSetId, NumberDataViewType.UInt32, isKey: true);
        yield return Scalar(Kinds.ScoreColumnKind, TextDataViewType.Instance);
        yield return Scalar(Kinds.ScoreValueKind, TextDataViewType.Instance);
        if (isNormalized)
            yield return Scalar(Kinds.IsNormalized, BooleanDataViewType.Instance);
    }

    /// <summary>The shapes of the annotations of a multiclass score, which take the label's key values along.</summary>
    public static IEnumerable<SchemaShape.Column> AnnotationsForMulticlassScoreColumn(SchemaShape.Column? labelColumn = null)
    {
        if (labelColumn is { IsKey: true } label
            && label.Annotations.TryFindColumn(Kinds.KeyValues, out SchemaShape.Column values)
            && values.Kind == SchemaShape.Column.VectorKind.Vector)
        {
            if (values.ItemType is TextDataViewType)
                yield return new SchemaShape.Column(Kinds.SlotNames, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false);
            yield return new SchemaShape.Column(Kinds.TrainingLabelValues, SchemaShape.Column.VectorKind.Vector, values.ItemType, false);
        }

        foreach (SchemaShape.Column column in GetTrainerOutputAnnotation())
            yield return column;
    }

    private static SchemaShape.Column Scalar(string name, DataViewType type, bool isKey = false) =>
        new(name, SchemaShape.Column.VectorKind.Scalar, type, isKey);
}
