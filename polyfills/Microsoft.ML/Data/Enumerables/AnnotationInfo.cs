namespace Microsoft.ML.Data;

/// <summary>An annotation that a user gives a column of a class.</summary>
internal abstract class AnnotationInfo(DataViewType type)
{
    public DataViewType AnnotationType { get; } = type;

    public abstract Delegate GetGetter();
}
