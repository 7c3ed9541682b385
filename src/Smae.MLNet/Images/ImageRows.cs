using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>Rows with images, and with labels where these are wanted.</summary>
/// <param name="Data">The data.</param>
/// <param name="Column">The column of images.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Labels">Reads the labels; null is none.</param>
internal sealed record ImageRows(IDataView Data, DataViewSchema.Column Column, ImageColumnKind Kind, LabelReader? Labels)
{
    /// <summary>Goes over the rows from the first.</summary>
    /// <param name="reader">Reads the images of the row that the cursor stands at.</param>
    /// <param name="labels">Takes the labels of the same rows; null where there are none.</param>
    public DataViewRowCursor Open(out ImageReader reader, out RowLabels? labels)
    {
        var cursor = Data.GetRowCursor(Labels is null ? [Column] : [Column, Labels.Column]);
        reader = new ImageReader(cursor, Column, Kind);
        labels = Labels is null ? null : new RowLabels(Labels.Open(cursor));
        return cursor;
    }
}
