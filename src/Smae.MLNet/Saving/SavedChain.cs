using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Saves an image model as a chain of ML.NET's own transformers: ML.NET loads only types that its own assemblies register, so a type of ours in a model
/// file could never be read again, while such a chain loads in any application with Microsoft.ML, Microsoft.ML.ImageAnalytics,
/// Microsoft.ML.OnnxTransformer and ONNX Runtime.
/// </summary>
/// <param name="scoring">The model, and the column of images that it reads.</param>
internal sealed class SavedChain(ImageScoring scoring)
{
    // Columns of the chain that it drops again. Named so that they are nobody else's.
    private const string Loaded = "smae.image", Resized = "smae.resized", Pixels = "smae.pixels", Logits = "smae.logits",
        Picture = "smae.picture";

    /// <summary>Saves the chain for a model whose numbers are the value of a column, an embedding.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="outputColumnName">The column.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void SaveVector(ModelSaveContext context, string outputColumnName) => Save(
        context, outputColumnName, (saved, whole, single) => PipelineModel.Write(whole, single, Pixels, saved.Output, outputColumnName, saved.Map),
        last: null);

    /// <summary>Saves the chain for a model whose numbers are the logits of classes: it gives PredictedLabel and Score.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="classes">The classes.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void SaveClasses(ModelSaveContext context, LabelClasses classes) => Save(
        context, Logits, (saved, whole, single) => PipelineModel.Write(whole, single, Pixels, saved.Output, Logits, saved.Map),
        (_, _) => SoftmaxPredictor.Create(Logits, classes));

    /// <summary>Saves the chain for an autoencoder that makes pictures.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="outputColumnName">The column of pictures.</param>
    /// <param name="pictures">The masks, and what is shown.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void SavePictures(ModelSaveContext context, string outputColumnName, MaskedPictures pictures)
    {
        ImagePreprocessing size = scoring.Model.Preprocessing;
        Save(
            context, Picture, (_, whole, single) => PipelineModel.WritePictures(whole, single, Pixels, Picture, pictures),
            (ml, data) => ml.ConvertToImage(size.Height, size.Width * pictures.Parts.Count, outputColumnName, Picture, interleavedColors: true).Fit(data));
    }

    private void Save(
        ModelSaveContext context, string valueColumn, Action<SavedOutput, string, string> write, Func<TransformsCatalog, IDataView, ITransformer>? last)
    {
        if (scoring.SourceKind == ImageColumnKind.Bytes)
            throw new NotSupportedException(
                $"Column '{scoring.InputColumnName}' holds the bytes of image files, and ML.NET has no transform that decodes these: a saved model could not read them. " +
                "Fit on a column of paths or of MLImage, and save that.");
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("smae-save-");
        try
        {
            string whole = Path.Combine(temporary.FullName, "model.onnx"), single = Path.Combine(temporary.FullName, "pipeline.onnx");
            write(scoring.Model.WriteOnnx(whole), whole, single);
            // OnnxTransformer reads its file again when it saves: the chain is saved while the file is there.
            using TransformerChain<ITransformer> chain = Chain(single, valueColumn, last);
            ((ICanSaveModel)chain).Save(context);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private TransformerChain<ITransformer> Chain(string file, string valueColumn, Func<TransformsCatalog, IDataView, ITransformer>? last)
    {
        bool loads = scoring.SourceKind == ImageColumnKind.Path;
        TransformsCatalog ml = new MLContext().Transforms;
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(scoring.InputColumnName, loads ? TextDataViewType.Instance : new ImageDataViewType());
        IDataView data = new SchemaOnlyView(schema.ToSchema());
        List<ITransformer> steps = [];
        List<string> passing = [Resized, Pixels];

        void Add(ITransformer step)
        {
            steps.Add(step);
            data = step.Transform(data);
        }

        if (loads)
        {
            Add(ml.LoadImages(Loaded, "", scoring.InputColumnName).Fit(data));
            passing.Add(Loaded);
        }
        ImagePreprocessing size = scoring.Model.Preprocessing;
        Add(ml.ResizeImages(Resized, size.Width, size.Height, loads ? Loaded : scoring.InputColumnName, ImageResizer.KindOf(size.Resize)).Fit(data));
        var colors = PipelineModel.ExtractedChannels(size) == 4 ? ImagePixelExtractingEstimator.ColorBits.All : ImagePixelExtractingEstimator.ColorBits.Rgb;
        Add(ml.ExtractPixels(Pixels, Resized, colors, interleavePixelColors: true, outputAsFloatArray: false).Fit(data));
        Add(ml.ApplyOnnxModel([valueColumn], [Pixels], file).Fit(data));
        if (last is not null)
        {
            Add(last(ml, data));
            passing.Add(valueColumn);
        }
        Add(ml.DropColumns([.. passing]).Fit(data));
        return new TransformerChain<ITransformer>([.. steps]);
    }
}
