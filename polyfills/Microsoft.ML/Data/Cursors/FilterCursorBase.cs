using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor over those rows of its input that it accepts.</summary>
internal abstract class FilterCursorBase(IChannelProvider provider, DataViewRowCursor input, DataViewSchema schema, bool[] active)
    : LinkedRowCursorBase(provider, input, schema, active)
{
    public override long Batch => Input.Batch;

    protected sealed override bool MoveNextCore()
    {
        while (Root.MoveNext())
        {
            if (Accept())
                return true;
        }

        return false;
    }

    protected abstract bool Accept();
}
