namespace Microsoft.ML.Data;

/// <summary>A type that is not a plain value: vectors, images, and what users define.</summary>
public abstract class StructuredDataViewType : DataViewType
{
    protected StructuredDataViewType(Type rawType)
        : base(rawType)
    {
    }
}
