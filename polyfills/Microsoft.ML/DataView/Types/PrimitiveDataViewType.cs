namespace Microsoft.ML.Data;

/// <summary>A type that may be the item type of a vector.</summary>
public abstract class PrimitiveDataViewType : DataViewType
{
    protected PrimitiveDataViewType(Type rawType)
        : base(rawType)
    {
        if (typeof(IDisposable).IsAssignableFrom(rawType))
            throw new ArgumentException("The raw type of a primitive type must not be disposable.", nameof(rawType));
    }
}
