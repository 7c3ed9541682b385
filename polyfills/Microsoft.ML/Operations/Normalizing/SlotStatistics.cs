using System.Numerics;

namespace Microsoft.ML.Transforms;

/// <summary>What is gathered of the values of one slot, and what scale and offset follow from it.</summary>
internal abstract class SlotStatistics<T>
    where T : struct, IFloatingPointIeee754<T>
{
    public abstract void Add(T value);

    /// <summary>The scale, 0 for a slot that says nothing, and the offset.</summary>
    public abstract (T Scale, T Offset) Finish();
}
