export interface FolderStoreConfiguration {
  readonly kind: 'folder';
  readonly folder: string;
}

export interface S3StoreConfiguration {
  readonly kind: 's3';
  readonly endpoint: string;
  /** The address of the same store in URLs that are handed out. */
  readonly publicEndpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type ObjectStoreConfiguration = FolderStoreConfiguration | S3StoreConfiguration;
