using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>A run of the model's numbers as a vector: an embedding, say.</summary>
/// <param name="name">The column.</param>
/// <param name="type">Its type: a vector of Single of known size.</param>
/// <param name="start">The first number.</param>
internal class VectorOutput(string name, VectorDataViewType type, int start = 0) : OutputColumn(name, type)
{
    public override ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, RowScores scores) =>
        ColumnAccess.Cast<TValue, VBuffer<float>>(column, (ref VBuffer<float> value) =>
        {
            var numbers = scores().Slice(start, type.Size);
            // Into the buffer that the value has, if it is large enough.
            var editor = VBufferEditor.Create(ref value, type.Size);
            numbers.CopyTo(editor.Values);
            value = editor.Commit();
        });
}
