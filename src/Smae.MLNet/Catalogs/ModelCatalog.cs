using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

/// <summary>Saving models: extensions of <see cref="MLContext.Model"/>.</summary>
public static class ModelCatalog
{
    /// <summary>
    /// Saves a model as <c>mlContext.Model.Save</c> does, all or nothing: <c>Save</c> leaves a broken file behind when a transformer cannot be saved or the
    /// disk is full, this leaves what was there before.
    /// </summary>
    /// <param name="model">The model. Transformers of Smae are written as chains of ML.NET's own: the file loads in applications without Smae.</param>
    /// <param name="inputSchema">The schema of the data that it takes; null saves none, and columns of images are left out.</param>
    /// <param name="filePath">The file, for example <c>model.zip</c>; its folder is made.</param>
    /// <exception cref="NotSupportedException">A transformer of the model cannot be saved; the message says which and why.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void SaveAtomically(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema? inputSchema, string filePath)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(filePath);
        // ML.NET leaves columns of images out of the schema that it saves, and refuses to save one that has nothing else.
        bool nothingLeft = inputSchema?.All(column => column.Type is ImageDataViewType) ?? true;
        AtomicFile.Write(filePath, stream => catalog.Save(model, nothingLeft ? null : inputSchema, stream));
    }
}
