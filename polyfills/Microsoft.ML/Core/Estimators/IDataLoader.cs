namespace Microsoft.ML;

/// <summary>Turns a source into a data view.</summary>
public interface IDataLoader<in TSource> : ICanSaveModel
{
    IDataView Load(TSource input);

    DataViewSchema GetOutputSchema();
}
