using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The numbers that a model gave for the row which is current at the time of the call.</summary>
internal delegate ReadOnlySpan<float> RowScores();

/// <summary>A column that a transformer adds: its name, its type and how its value is read from the numbers that the model gives for a row.</summary>
internal abstract class OutputColumn(string name, DataViewType type)
{
    public string Name => name;

    public DataViewType Type => type;

    /// <summary>The column's annotations where it is added to <paramref name="input"/>; null is none.</summary>
    public virtual DataViewSchema.Annotations? AnnotationsOver(DataViewSchema input) => null;

    /// <summary>A getter of the column's value: a <see cref="ValueGetter{TValue}"/> of what <see cref="Type"/> holds.</summary>
    /// <param name="scores">The numbers of the current row, all NaN where its image could not be read.</param>
    public abstract Delegate Getter(RowScores scores);
}

/// <summary>The model's numbers as a vector.</summary>
internal class VectorOutput(string name, int size) : OutputColumn(name, new VectorDataViewType(NumberDataViewType.Single, size))
{
    public override Delegate Getter(RowScores scores) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
    {
        // Into the buffer that the value has, if it is large enough.
        var editor = VBufferEditor.Create(ref value, size);
        scores().CopyTo(editor.Values);
        value = editor.Commit();
    });
}
