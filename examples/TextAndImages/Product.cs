using Microsoft.ML;
using Microsoft.ML.Data;

namespace TextAndImages;

/// <summary>A row of the table.</summary>
internal sealed class Product
{
    [LoadColumn(0)]
    public string Title { get; set; } = "";

    [LoadColumn(1)]
    public string ImagePath { get; set; } = "";

    [LoadColumn(2)]
    public string Label { get; set; } = "";

    /// <summary>Reads a table; paths of pictures are seen from its folder.</summary>
    /// <exception cref="InvalidDataException">A row lacks something, or a picture is not there; the message says which.</exception>
    public static IDataView Load(MLContext ml, FileInfo table)
    {
        if (!table.Exists) throw new FileNotFoundException($"There is no table {table}.");
        IDataView text = ml.Data.LoadFromTextFile<Product>(table.FullName, hasHeader: true);
        Product[] products = [.. ml.Data.CreateEnumerable<Product>(text, reuseRowObject: false)];
        for (int i = 0; i < products.Length; i++)
        {
            Product product = products[i];
            if (product.Title == "" || product.ImagePath == "" || product.Label == "")
                throw new InvalidDataException($"{table}: row {i + 1} has not all of title, picture and category.");
            product.ImagePath = Path.GetFullPath(product.ImagePath, table.DirectoryName!);
            if (!File.Exists(product.ImagePath)) throw new InvalidDataException($"{table}: row {i + 1}: there is no picture {product.ImagePath}.");
        }
        return ml.Data.Cache(ml.Data.LoadFromEnumerable(products));
    }
}
