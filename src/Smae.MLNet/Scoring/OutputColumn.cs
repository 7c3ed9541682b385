using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>A column that a scorer adds: its name, its type and how its value is read from the numbers that the model gives for a row.</summary>
internal abstract class OutputColumn(string name, DataViewType type)
{
    public string Name => name;

    public DataViewType Type => type;

    /// <summary>The column's annotations where it is added to <paramref name="input"/>; null is none.</summary>
    public virtual DataViewSchema.Annotations? AnnotationsOver(DataViewSchema input) => null;

    /// <summary>A getter of the column's value.</summary>
    /// <param name="column">The column in the schema that the getter is asked for by.</param>
    /// <param name="scores">The numbers of the current row, all NaN where its image could not be read.</param>
    /// <exception cref="InvalidOperationException">The column holds values of another type than <typeparamref name="TValue"/>.</exception>
    public abstract ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, RowScores scores);
}
